# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Figures: what a benchmark found out, shown as it comes and at the end as JSON.
# Sourced by ./benchmark. Numbers are decimal fractions; bash has none, awk does.

FIGURES_JSON=()
FIGURES_MISSED=0

# calc EXPRESSION: what awk makes of it, with six digits.
calc() {
    awk "BEGIN { printf \"%.6g\\n\", $* }"
}

# Of the numbers given as arguments.
least() {
    printf '%s\n' "$@" | sort -g | head -n 1
}

most() {
    printf '%s\n' "$@" | sort -g | tail -n 1
}

median() {
    printf '%s\n' "$@" | sort -g | awk '
        { v[NR] = $1 }
        END { printf "%.6g\n", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

figures_begin() {
    PAINT_GOOD='' PAINT_BAD='' PAINT_END=''
    if [[ -t 1 && -z ${NO_COLOR-} && ${TERM-dumb} != dumb ]]; then
        PAINT_GOOD=$'\e[32m' PAINT_BAD=$'\e[31m' PAINT_END=$'\e[0m'
    fi
}

figures_head() {
    progress_clear
    printf '\n%-9s %-41s %8s     %s\n' part what measured bound
}

# figure PART WHAT VALUE UNIT [RELATION BOUND]: one line. RELATION is "<=" or ">=".
figure() {
    local part=$1 what=$2 value=$3 unit=$4 relation=${5-} bound=${6-}
    local verdict='' paint='' json line
    ((${#FIGURES_JSON[@]} > 0)) || figures_head
    json=$(printf '{"part": "%s", "what": "%s", "value": %s, "unit": "%s"' \
        "$part" "$what" "$value" "$unit")
    if [[ $bound ]]; then
        if awk "BEGIN { exit !($value $relation $bound) }"; then
            verdict=holds paint=$PAINT_GOOD
            json+=$(printf ', "relation": "%s", "bound": %s, "holds": true' \
                "$relation" "$bound")
        else
            verdict=MISSED paint=$PAINT_BAD
            FIGURES_MISSED=$((FIGURES_MISSED + 1))
            json+=$(printf ', "relation": "%s", "bound": %s, "holds": false' \
                "$relation" "$bound")
        fi
    fi
    FIGURES_JSON+=("$json}")
    progress_clear
    line=$(printf '%-9s %-41s %8s %-3s %-9s %s%s%s' "$part" "$what" \
        "$(number_short "$value")" "$unit" \
        "${bound:+$relation $(number_short "$bound")}" "$paint" "$verdict" \
        "$PAINT_END")
    printf '%s\n' "${line%"${line##*[! ]}"}"
}

# Four digits are more than any of this is good for.
number_short() {
    awk -v n="$1" 'BEGIN {
        if (n >= 100 || n == int(n)) printf "%d\n", n + 0.5
        else if (n >= 10) printf "%.1f\n", n
        else printf "%.2f\n", n
    }'
}

# figures_json NAME SETTINGS: everything, SETTINGS being members of an object.
figures_json() {
    local i
    printf '{\n  "benchmark": "%s",\n  "date": "%s",\n  %s,\n  "figures": [\n' \
        "$1" "$(date -u +%F)" "$2"
    for i in "${!FIGURES_JSON[@]}"; do
        printf '    %s%s\n' "${FIGURES_JSON[i]}" \
            "$( ((i + 1 == ${#FIGURES_JSON[@]})) || echo ,)"
    done
    printf '  ]\n}\n'
}
