#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""accounting.py BEFORE AFTER PAGE VIEW...

Holds a page of the exporter to what Slurm's own commands say of shares, limits and
QOS (BEFORE and AFTER, outputs of accounting-says). Usage grows while we look, so
the commands are asked before and after the page, and a number of the page has to
lie between what they said, give or take what they cut off. For each VIEW the names
of its series must be on the page with exactly these labels and no others. Prints
what differs.

shares     against sshare
classic    the same without FAIR_TREE, when slurmctld works users' usage out only for
           those who wait, and for sshare: no usage, no factor
used       limits and what is used of them against scontrol show assoc_mgr
limits     limits against sacctmgr, which is what the administrator wrote
qos        jobs, CPUs and GPUs by QOS against squeue and scontrol show job
gpus       GPUs that users and accounts have and wait for, against the same
"""
import collections
import math
import re
import sys

from exposition import key, parse, show
from slurm_says import records, sections

# A number as a command prints it: the truth is in [value - below, value + above].
Said = collections.namedtuple("Said", "value below above", defaults=(0, 0))


def exact(text):
    return Said(float(text))


def rounded(text, digits):
    return Said(float(text), 10 ** -digits, 10 ** -digits)


def cut(text):
    return Said(float(text), 0, 1)


# --- shares -----------------------------------------------------------------------

SHARE_NAMES = ["raw", "norm", "usage_raw", "usage_norm", "usage_effective", "factor",
               "level_fs"]


def view_shares(says):
    """sshare leaves blank what has no value; so does the page."""
    want = {}
    for line in says["sshare"]:
        account, user, partition, *values = line.strip().split("|")
        owner = {"account": account, "user": user, "partition": partition}
        for name, text in zip(SHARE_NAMES, values):
            of_account = name == "factor" and not user
            if text not in ("", "parent") and not of_account:
                said = (exact(text) if name == "raw" else
                        cut(text) if name == "usage_raw" else rounded(text, 6))
                want[key(f"slurm_share_{name}", **owner)] = said
        if not user:
            want[key("slurm_account_fairshare", account=account)] = classic(values)
    # Root is the whole; sshare prints its raw shares blank and the norm as 1/NO_VAL.
    root = {"account": "root", "user": "", "partition": ""}
    want[key("slurm_share_raw", **root)] = exact(1)
    want[key("slurm_share_norm", **root)] = exact(1)
    want[key("slurm_share_usage_norm", **root)] = exact(1)
    want[key("slurm_account_fairshare", account="root")] = exact(0.5)
    return want


def view_classic(says):
    return {sample: said for sample, said in view_shares(says).items()
            if sample[0] in ("slurm_share_raw", "slurm_share_norm", "slurm_share_usage_raw")}


def classic(values):
    """The factor of an account, which sshare leaves blank under FAIR_TREE."""
    norm, effective = float(values[1]), float(values[4])
    return Said(2 ** -(effective / norm) if norm else 0, 1e-4, 1e-4)


# --- limits -------------------------------------------------------------------------

# Slurm's name in assoc_mgr, in sacctmgr -> our kind, resource (None: one for each
# TRES).
ASSOCIATION_KINDS = [
    ("GrpJobs", "GrpJobs", "grp_jobs", "jobs"),
    ("GrpSubmitJobs", "GrpSubmit", "grp_submit_jobs", "jobs"),
    ("GrpWall", "GrpWall", "grp_wall", "wall_minutes"),
    ("GrpTRES", "GrpTRES", "grp_tres", None),
    ("GrpTRESMins", "GrpTRESMins", "grp_tres_minutes", None),
    ("GrpTRESRunMins", "GrpTRESRunMins", "grp_tres_run_minutes", None),
    ("MaxJobs", "MaxJobs", "max_jobs", "jobs"),
    ("MaxSubmitJobs", "MaxSubmit", "max_submit_jobs", "jobs"),
    ("MaxWallPJ", "MaxWall", "max_wall_per_job", "wall_minutes"),
    ("MaxTRESPJ", "MaxTRES", "max_tres_per_job", None),
    ("MaxTRESPN", "MaxTRESPerNode", "max_tres_per_node", None),
    ("MaxTRESMinsPJ", "MaxTRESMins", "max_tres_minutes_per_job", None),
]
# assoc_mgr has those of a QOS for each user and account only when they use it.
QOS_KINDS = [k for k in ASSOCIATION_KINDS if not k[2] in ("max_jobs", "max_submit_jobs")] + [
    (None, "MaxJobsPU", "max_jobs_per_user", "jobs"),
    (None, "MaxJobsPA", "max_jobs_per_account", "jobs"),
    (None, "MaxSubmitPU", "max_submit_jobs_per_user", "jobs"),
    (None, "MaxSubmitPA", "max_submit_jobs_per_account", "jobs"),
    (None, "MaxTRESPU", "max_tres_per_user", None),
    (None, "MaxTRESPA", "max_tres_per_account", None),
    (None, "MaxTRESRunMinsPU", "max_tres_run_minutes_per_user", None),
    (None, "MaxTRESRunMinsPA", "max_tres_run_minutes_per_account", None),
]
FRACTIONAL = {"grp_wall": 2}
CUT = {"grp_tres_minutes", "grp_tres_run_minutes"}


def pieces(text, resource):
    """(resource, value) of a limit's text: one number, or one for each TRES."""
    if not text:
        return []
    if resource:
        return [(resource, text)]
    return [tuple(item.split("=", 1)) for item in text.split(",")]


def used_in_page(kind, owner, limit, used):
    """The page has what is used of a limit where there is one, else what is used at
    all; two kinds only where there is a limit, of users only for what each user may."""
    if kind in ("max_jobs", "max_submit_jobs"):
        return limit != "N" and owner["user"] != ""
    return limit != "N" or (kind != "grp_tres_minutes" and float(used) > 0)


def add_used(want, series, owner, kinds, record):
    for name, _, kind, resource in kinds:
        for tres, text in pieces(record.get(name, ""), resource):
            labels = dict(owner, kind=kind, resource=tres)
            match = re.fullmatch(r"(N|[0-9.]+)\(([0-9.]+)\)", text)
            limit, used = match.groups() if match else (text, None)
            if limit != "N":
                want[key(series, **labels)] = exact(limit)
            if used is not None and used_in_page(kind, owner, limit, used):
                want[key(f"{series}_used", **labels)] = (
                    rounded(used, FRACTIONAL[kind]) if kind in FRACTIONAL else
                    cut(used) if kind in CUT else exact(used))


def view_used(says):
    want = {}
    for record in records(says["assoc_mgr"]):
        if "Account" in record:
            owner = {"account": record["Account"], "partition": record["Partition"],
                     "user": record["UserName"].split("(")[0]}
            add_used(want, "slurm_association_limit", owner, ASSOCIATION_KINDS, record)
        elif "QOS" in record:
            owner = {"qos": record["QOS"].split("(")[0]}
            add_used(want, "slurm_qos_limit", owner, QOS_KINDS, record)
    add_per_owner_limits(want, says)
    return want


def add_per_owner_limits(want, says):
    """What assoc_mgr does not tell for QOS without users is taken from sacctmgr."""
    per_owner = {kind[2] for kind in QOS_KINDS if kind[0] is None}
    for sample, said in view_limits(says).items():
        if dict(sample[1])["kind"] in per_owner:
            want[sample] = said


# --- limits as they were written -------------------------------------------------------

def minutes(text):
    """Minutes in Slurm's [DAYS-]HOURS:MINUTES:SECONDS."""
    days, _, clock = text.rpartition("-")
    hours, mins, seconds = map(int, clock.split(":"))
    return (int(days or 0) * 24 + hours) * 60 + mins + seconds / 60


def amount(text):
    """A number with Slurm's unit; memory is counted in MiB."""
    scale = {"M": 1, "G": 1 << 10, "T": 1 << 20}.get(text[-1])
    return float(text[:-1]) * scale if scale else float(text)


def table(lines):
    head, *rows = [line.split("|") for line in lines]
    return [dict(zip(head, row)) for row in rows]


def add_limits(want, series, owner, kinds, row):
    for _, name, kind, resource in kinds:
        for tres, text in pieces(row[name], resource):
            value = minutes(text) if tres == "wall_minutes" else amount(text)
            want[key(series, **owner, kind=kind, resource=tres)] = Said(value)


def view_limits(says):
    want = {}
    for row in table(says["associations"]):
        owner = {name.lower(): row[name] for name in ("Account", "User", "Partition")}
        add_limits(want, "slurm_association_limit", owner, ASSOCIATION_KINDS, row)
    for row in table(says["qos"]):
        add_limits(want, "slurm_qos_limit", {"qos": row["Name"]}, QOS_KINDS, row)
    return want


# --- jobs by QOS ------------------------------------------------------------------------

def view_qos(says):
    counts = collections.Counter()
    for line in says["tasks"]:
        qos, state = line.split("|")
        counts[key("slurm_qos_jobs_by_state", qos=qos, state=state.lower())] += 1
    for record in records(says["jobs"]):
        if record["JobState"] != "RUNNING":
            continue
        qos = record["QOS"]
        gpus = re.search(r"gres/gpu=(\d+)", record.get("TRES", ""))
        counts[key("slurm_qos_cpus_allocated", qos=qos)] += int(record["NumCPUs"])
        counts[key("slurm_qos_gpus_allocated", qos=qos)] += int(gpus[1]) if gpus else 0
    return {sample: Said(count) for sample, count in counts.items() if count}


# --- GPUs by owner -----------------------------------------------------------------------

def view_gpus(says):
    """Held jobs and arrays of the site ask for no GPUs."""
    want = collections.Counter()
    for record in records(says["jobs"]):
        asked = re.search(r"gpu:(\w+):(\d+)", record.get("TresPerNode", ""))
        if record["JobState"] not in ("RUNNING", "PENDING") or not asked:
            continue
        count = int(asked[2]) * int(record["NumNodes"].split("-")[0])
        running = record["JobState"] == "RUNNING"
        if running:
            count = int(re.search(rf"gres/gpu:{asked[1]}=(\d+)", record["TRES"])[1])
        for kind, name in (("user", record["UserId"].split("(")[0]),
                           ("account", record["Account"])):
            labels = {kind: name, "type": asked[1]}
            want[key(f"slurm_{kind}_gpu_allocated", **labels)] += count if running else 0
            want[key(f"slurm_{kind}_gpu_pending", **labels)] += 0 if running else count
    return {sample: Said(count) for sample, count in want.items()}


VIEWS = {"shares": view_shares, "classic": view_classic, "used": view_used,
         "limits": view_limits, "qos": view_qos, "gpus": view_gpus}


# --- comparing ------------------------------------------------------------------------

def agrees(before, after, had):
    """Does HAD lie between the two, with what the commands cut off?"""
    low, high = sorted((before, after), key=lambda said: said.value)
    if math.isinf(low.value) or math.isinf(high.value):
        return had >= low.value - low.below and had <= high.value + high.above
    slack = 1e-9 * max(1, abs(had))
    return low.value - low.below - slack <= had <= high.value + high.above + slack


def differences(view, before, after, have):
    before, after = view(before), view(after)
    names = {sample[0] for sample in (*before, *after)}
    for sample in sorted({*before, *after, *(s for s in have if s[0] in names)}):
        had, old, new = have.get(sample), before.get(sample), after.get(sample)
        if old and new and had is None:
            yield f"{show(sample)}: is not on the page, Slurm says {new.value}"
        elif old and new and not agrees(old, new, had):
            yield (f"{show(sample)}: the page says {had}, Slurm {old.value} "
                   f"and then {new.value}")
        # Too little to be shown by Slurm's commands, which cut fractions off?
        elif not old and not new and not (sample[0].endswith("_used") and had < 1):
            yield f"{show(sample)}: the page says {had}, Slurm nothing"


def main():
    texts = []
    for path in sys.argv[1:4]:
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    before, after, have = sections(texts[0]), sections(texts[1]), parse(texts[2])
    found, compared = [], 0
    for name in sys.argv[4:]:
        compared += len(VIEWS[name](after))
        found += differences(VIEWS[name], before, after, have)
    print("\n".join([*found, f"{compared} series were compared"]))
    sys.exit(1 if found or not compared else 0)


main()
