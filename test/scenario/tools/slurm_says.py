# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads what slurm-says printed: words of Slurm's own commands, taken apart."""
import re

# Words that scontrol prints as KEY=VALUE; a value goes on until the next key.
FIELD = re.compile(r"(?:^| )([A-Z][A-Za-z_:/]*)=(.*?)(?= [A-Z][A-Za-z_:/]*=|$)")


def sections(text):
    """Name of a section -> its lines."""
    found = {}
    for line in text.splitlines():
        if line.startswith("== "):
            lines = found[line[3:]] = []
        elif line.strip():
            lines.append(line)
    return found


def records(lines):
    """One dictionary for each line that scontrol -o printed."""
    return [dict(FIELD.findall(line)) for line in lines if "=" in line]


def gpus(gres):
    """Type -> number of GPUs in a GRES string; those without a type are ''."""
    found = {}
    plain = re.sub(r"\([^()]*\)", "", (gres or "").replace("(null):", ""))
    for item in plain.split(","):
        words = item.split(":")
        if words[0] == "gpu" and len(words) > 1:
            kind = words[1] if len(words) > 2 else ""
            found[kind] = found.get(kind, 0) + int(words[-1])
    return found


def sdiag(lines):
    """Group of sdiag -> name -> number."""
    groups, group = {}, ""
    for line in lines:
        match = re.match(r"^\s*(.*?):\s+(\d+)\s*$", line)
        if match:
            groups.setdefault(group, {})[match[1].strip()] = int(match[2])
        elif "schedule statistics" in line or "ackfilling stats" in line:
            group = "main" if line.startswith("Main") else "backfill"
        elif line.startswith("Remote Procedure Call statistics by message"):
            group = "rpcs"
    return groups
