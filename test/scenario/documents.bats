#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The papers that tell what to type: do their commands still run, and does the
# cluster still say what they show. tools/make-document makes them and, here,
# compares; each gets a new lab, for jobs are counted from its first one.

bats_require_minimum_version 1.5.0

setup() {
    export SOURCE="$BATS_TEST_DIRNAME/../.."
    export LAB="documents-$$-$BATS_TEST_NUMBER"
}

teardown() {
    "$SOURCE/start" --name "$LAB" --stop 3>&-
}

@test "the Slurm commands of the demonstration print what the document shows" {
    "$SOURCE/start" --name "$LAB" --by-hand --detach --port-base 0 3>&-
    "$SOURCE/tools/make-document" --name "$LAB" --check \
        "$SOURCE/doc/slurm-commands.md"
}

@test "the commands of the exporter's guide print what the guide shows" {
    "$SOURCE/start" --name "$LAB" --by-hand --detach --port-base 0 3>&-
    "$SOURCE/tools/make-document" --name "$LAB" --check "$SOURCE/doc/guide-exporter.md"
}
