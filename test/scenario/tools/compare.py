#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""compare.py SAYS PAGE VIEW...

Holds a page of the exporter to what Slurm's own commands say of the same cluster
(SAYS, the output of slurm-says). For each VIEW the series are computed that the
page has to have; those names must be on the page with exactly these labels and
values and no others. Prints what differs.

vpenso     the names, labels, units and omissions of vpenso's exporter, except where
           his is at fault: jobs of several partitions, typed GPUs
gpus       GPUs by type and state, of the cluster, partitions and nodes
states     nodes and jobs by state, flag and reason; reservations and licences
native     the names of Slurm 25.11 and later; PAGE holds all of those pages
"""
import collections
import re
import sys

from exposition import key, parse, show
from slurm_says import gpus, records, sections, sdiag

# sinfo's words for node states -> vpenso's counts, in the order that he tests them.
BUCKETS = [("alloc", "alloc"), ("comp", "comp"), ("down", "down"), ("drain", "drain"),
           ("fail", "fail"), ("err", "err"), ("idle", "idle"), ("maint", "maint"),
           ("mix", "mix"), ("res", "resv")]
QUEUE = ["PENDING", "RUNNING", "SUSPENDED", "CANCELLED", "COMPLETING", "COMPLETED",
         "CONFIGURING", "FAILED", "TIMEOUT", "PREEMPTED", "NODE_FAIL"]
MIB = 1 << 20


class Expected(dict):
    """Series -> value; adding to one that is not there starts from zero."""

    def add(self, amount, name, **labels):
        sample = key(name, **labels)
        self[sample] = self.get(sample, 0) + amount

    def drop_zeros(self, pattern):
        for sample in [s for s, v in self.items() if not v and re.match(pattern, s[0])]:
            del self[sample]


# --- vpenso -----------------------------------------------------------------------

def vpenso_cpus(says, want):
    for name, value in zip(("alloc", "idle", "other", "total"), says["cpus"][0].split("/")):
        want.add(int(value), f"slurm_cpus_{name}")


def vpenso_nodes(says, want):
    for _, bucket in BUCKETS:
        want.add(0, f"slurm_nodes_{bucket}")
    for line in says["nodes"]:
        count, word = line.split(",")
        for prefix, bucket in BUCKETS:
            if word.startswith(prefix):
                want.add(int(count), f"slurm_nodes_{bucket}")
                break


def vpenso_node(says, want):
    for line in set(says["node"]):
        node, allocated, memory, cpus, status = line.split()
        for name, value in zip(("alloc", "idle", "other", "total"), cpus.split("/")):
            want.add(int(value), f"slurm_node_cpu_{name}", node=node, status=status)
        want.add(int(allocated), "slurm_node_mem_alloc", node=node, status=status)
        want.add(int(memory), "slurm_node_mem_total", node=node, status=status)


def vpenso_partitions(says, want):
    for line in says["partitions"]:
        partition, cpus = line.split(",")
        for name, value in zip(("allocated", "idle", "other", "total"), cpus.split("/")):
            want.add(int(value), f"slurm_partition_cpus_{name}", partition=partition)
    for line in says["pending"]:
        for partition in line.split("|")[0].split(","):
            want.add(1, "slurm_partition_jobs_pending", partition=partition)
    want.drop_zeros("slurm_partition_")


def vpenso_queue(says, want):
    for state in QUEUE:
        want.add(0, f"slurm_queue_{state.lower()}")
    want.add(0, "slurm_queue_pending_dependency")
    for line in says["queue"]:
        _, state, reason = line.split(",", 2)
        if state in QUEUE:
            want.add(1, f"slurm_queue_{state.lower()}")
        if state == "PENDING" and reason == "Dependency":
            want.add(1, "slurm_queue_pending_dependency")


def vpenso_owners(says, want):
    for line in says["owners"]:
        account, user, state, cpus, _ = line.split("|")
        for kind, name in (("account", account), ("user", user)):
            if state in ("PENDING", "RUNNING", "SUSPENDED"):
                want.add(1, f"slurm_{kind}_jobs_{state.lower()}", **{kind: name})
            if state in ("PENDING", "RUNNING"):
                want.add(int(cpus), f"slurm_{kind}_cpus_{state.lower()}", **{kind: name})


def vpenso_gpus(says, want):
    for node in nodes_of(says):
        for (_, state), count in node.gpu_states.items():
            name = {"allocated": "alloc", "idle": "idle"}.get(state, "other")
            want.add(count, f"slurm_gpus_{name}")
            want.add(count, "slurm_gpus_total")
    for name in ("alloc", "idle", "other", "total"):
        want.add(0, f"slurm_gpus_{name}")
    allocated, total = want[key("slurm_gpus_alloc")], want[key("slurm_gpus_total")]
    if total:
        want.add(allocated / total, "slurm_gpus_utilization")


def vpenso_scheduler(says, want):
    groups = sdiag(says["sdiag"])
    main, backfill = groups["main"], groups["backfill"]
    names = {
        "queue_size": groups[""]["Agent queue size"],
        "dbd_queue_size": groups[""]["DBD Agent queue size"],
        "last_cycle": main["Last cycle"],
        "mean_cycle": main.get("Mean cycle", 0),
        "cycle_per_minute": main.get("Cycles per minute", 0),
        "backfill_last_cycle": backfill["Last cycle"],
        "backfill_mean_cycle": backfill.get("Mean cycle", 0),
        "backfill_depth_mean": backfill.get("Depth Mean", 0),
        "backfilled_jobs_since_start_total":
            backfill["Total backfilled jobs (since last slurm start)"],
        "backfilled_jobs_since_cycle_total":
            backfill["Total backfilled jobs (since last stats cycle start)"],
        "backfilled_heterogeneous_total":
            backfill["Total backfilled heterogeneous job components"],
    }
    for name, value in names.items():
        want.add(value, f"slurm_scheduler_{name}")


def view_vpenso(says):
    want = Expected()
    for part in (vpenso_cpus, vpenso_nodes, vpenso_node, vpenso_partitions, vpenso_queue,
                 vpenso_owners, vpenso_gpus, vpenso_scheduler):
        part(says, want)
    return want


# --- nodes as scontrol shows them -----------------------------------------------------

class Node:
    """What scontrol says of a node."""

    def __init__(self, record, partitions):
        self.name = record["NodeName"]
        self.record = record
        words = record["State"].rstrip("*").split("+")
        self.base, self.flags = words[0].lower(), set(words[1:])
        self.partitions = partitions.get(self.name, [])
        self.total = gpus(record.get("Gres"))
        self.used = gpus(record.get("GresUsed"))
        self.gpu_states = self.split_gpus()

    def free_state(self):
        silent = "NOT_RESPONDING" in self.flags and "POWERING_UP" not in self.flags
        if self.base in ("down", "unknown", "future") or silent:
            return "down"
        return "drained" if self.flags & {"DRAIN", "FAIL", "INVALID_REG"} else "idle"

    def split_gpus(self):
        """(type, state) -> number."""
        found = {}
        for kind, total in self.total.items():
            used = self.used.get(kind, 0)
            found[kind, "allocated"] = used
            found[kind, self.free_state()] = found.get((kind, self.free_state()), 0) + total - used
        return found

    def number(self, field):
        return int(self.record[field])


def nodes_of(says):
    partitions = collections.defaultdict(list)
    for record in records(says["partition-detail"]):
        for node in expand(record.get("Nodes", "")):
            partitions[node].append(record["PartitionName"])
    return [Node(record, partitions) for record in records(says["node-detail"])]


def expand(hosts):
    """Names in a list of hosts like a[1-3,5],b."""
    found = []
    for item in re.findall(r"[^,\[]+(?:\[[^\]]*\])?", hosts):
        match = re.match(r"(.*)\[(.*)\]$", item)
        if not match:
            found.append(item)
            continue
        for piece in match[2].split(","):
            first, _, last = piece.partition("-")
            for i in range(int(first), int(last or first) + 1):
                found.append(f"{match[1]}{i:0{len(first)}}")
    return found


def view_gpus(says):
    want = Expected()
    states = ("allocated", "idle", "drained", "down")
    for node in nodes_of(says):
        for kind in node.total:
            for state in states:
                want.add(node.gpu_states.get((kind, state), 0),
                         "slurm_gpus_by_state", type=kind, state=state)
                for partition in node.partitions:
                    want.add(node.gpu_states.get((kind, state), 0),
                             "slurm_partition_gpus_by_state",
                             partition=partition, type=kind, state=state)
        for (kind, state), count in node.gpu_states.items():
            want.add(count, "slurm_node_gpus_by_state",
                     node=node.name, type=kind, state=state)
    want.drop_zeros("slurm_node_gpus_by_state")
    return want


# --- states -------------------------------------------------------------------------

# scontrol's words -> our labels, where they are not the same in small letters.
FLAGS = {"DYNAMIC_NORM": "dynamic_normal"}


def states_nodes(says, want):
    for node in nodes_of(says):
        want.add(1, "slurm_nodes_total")
        want.add(1, "slurm_node_base_state", node=node.name, state=node.base)
        for flag in node.flags:
            want.add(1, "slurm_node_flag", node=node.name,
                     flag=FLAGS.get(flag, flag.lower()))
        if "Reason" in node.record:
            reason, user = re.match(r"(.*) \[(\S+)@", node.record["Reason"]).groups()
            want.add(1, "slurm_node_reason", node=node.name, reason=reason, user=user)


def states_reasons(says, want):
    """A reason that slurmctld explains at length is shown so by squeue; such jobs are
    left to the sums of partitions."""
    for line in says["pending"]:
        partitions, reason, _, _ = line.split("|")
        for partition in partitions.split(","):
            if re.fullmatch(r"\w+", reason):
                want.add(1, "slurm_jobs_pending_by_reason",
                         partition=partition, reason=reason)


def states_reservations(says, want):
    for record in records(says["reservation-detail"]):
        name = record["ReservationName"]
        want.add(record["State"] == "ACTIVE", "slurm_resv_active", reservation=name)
        want.add(int(record["NodeCnt"]), "slurm_resv_nodes", reservation=name)
        want.add(int(record["CoreCnt"]), "slurm_resv_cores", reservation=name)


def states_licenses(says, want):
    for record in records(says["license-detail"]):
        for field, name in (("Total", "configured"), ("Used", "in_use"),
                            ("Free", "available"), ("Reserved", "held")):
            want.add(int(record[field]), f"slurm_license_{name}",
                     license=record["LicenseName"])


def view_states(says):
    want = Expected()
    states_nodes(says, want)
    states_reasons(says, want)
    states_reservations(says, want)
    states_licenses(says, want)
    return want


# --- native names -----------------------------------------------------------------------

def native_nodes(says, want):
    for node in nodes_of(says):
        cpus, allocated = node.number("CPUTot"), node.number("CPUAlloc")
        effective = int(node.record.get("CPUEfctv", cpus))
        memory, memory_used = node.number("RealMemory"), node.number("AllocMem")
        values = {
            "cpus": cpus, "cpus_alloc": allocated, "cpus_effective": effective,
            "cpus_idle": effective - allocated, "gpus": sum(node.total.values()),
            "gpus_alloc": sum(node.used.values()), "memory_bytes": memory * MIB,
            "memory_alloc_bytes": memory_used * MIB,
        }
        for name, value in values.items():
            want.add(value, f"slurm_node_{name}", node=node.name)
        busy = node.base in ("allocated", "mixed") or "COMPLETING" in node.flags
        counts = {
            "": 1, "_idle": node.base == "idle", "_mixed": node.base == "mixed",
            "_alloc": node.base == "allocated", "_down": node.base == "down",
            "_drain": "DRAIN" in node.flags, "_cloud": "CLOUD" in node.flags,
            "_draining": "DRAIN" in node.flags and busy,
            "_drained": "DRAIN" in node.flags and not busy,
            "_powered_down": "POWERED_DOWN" in node.flags,
            "_powering_up": "POWERING_UP" in node.flags,
        }
        for name, value in counts.items():
            want.add(value, f"slurm_nodes{name}")
            for partition in node.partitions:
                want.add(value, f"slurm_partition_nodes{name}", partition=partition)
        for partition in node.partitions:
            want.add(cpus, "slurm_partition_cpus", partition=partition)
            want.add(values["gpus"], "slurm_partition_gpus", partition=partition)
    for record in records(says["partition-detail"]):
        want.add(1, "slurm_partitions")
        for name in [s[0] for s in want if s[0].startswith("slurm_partition_")]:
            want.add(0, name, partition=record["PartitionName"])


def job_states(record):
    """Base state of a job and what its flags add."""
    shown = record["JobState"]
    if shown == "CONFIGURING":
        return "running", ["configuring"]
    return shown.lower(), []


def count_tasks(says):
    """JobId of a pending array -> tasks, from squeue's expanded list."""
    return collections.Counter(
        line.split(",")[0] for line in says["queue"] if ",PENDING," in line)


def native_jobs(says, want):
    tasks = count_tasks(says)
    suffixes = ["pending", "running", "suspended", "completed", "cancelled", "failed",
                "configuring", "timeout"]
    for record in records(says["job-detail"]):
        base, flags = job_states(record)
        count = tasks[record["JobId"]] if base == "pending" else 1
        user = record["UserId"].split("(")[0]
        groups = [("slurm_jobs", {}), ("slurm_user_jobs", {"username": user}),
                  ("slurm_account_jobs", {"account": record["Account"]})]
        groups += [("slurm_partition_jobs", {"partition": name})
                   for name in record["Partition"].split(",")]
        for prefix, labels in groups:
            want.add(count, prefix, **labels)
            for suffix in suffixes:
                want.add(count if suffix in [base] + flags else 0,
                         f"{prefix}_{suffix}", **labels)
            held = base == "pending" and record["Priority"] == "0"
            want.add(count if held else 0, f"{prefix}_hold", **labels)
            running = base == "running"
            want.add(int(record["NumCPUs"]) if running else 0,
                     f"{prefix}_cpus_alloc", **labels)
    for record in records(says["partition-detail"]):
        for name in ["slurm_partition_jobs"] + [
                f"slurm_partition_jobs_{s}" for s in suffixes + ["hold", "cpus_alloc"]]:
            want.add(0, name, partition=record["PartitionName"])


def view_native(says):
    want = Expected()
    native_nodes(says, want)
    native_jobs(says, want)
    return want


VIEWS = {"vpenso": view_vpenso, "gpus": view_gpus, "states": view_states,
         "native": view_native}


def differences(want, have):
    names = {sample[0] for sample in want}
    for sample in sorted(set(want) | {s for s in have if s[0] in names}):
        wanted, had = want.get(sample), have.get(sample)
        if sample[0] == "slurm_jobs_pending_by_reason" and wanted is None:
            continue
        # sdiag cuts off what is behind the point of a mean.
        if had is not None and "mean" in sample[0]:
            had = float(int(had))
        if wanted is None or had is None or abs(wanted - had) > 1e-9:
            yield f"{show(sample)}: Slurm says {wanted}, the page says {had}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        says = sections(file.read())
    with open(sys.argv[2], encoding="utf-8") as file:
        have = parse(file.read())
    found = [line for view in sys.argv[3:] for line in differences(VIEWS[view](says), have)]
    print("\n".join(found))
    sys.exit(1 if found else 0)


main()
