// SPDX-License-Identifier: GPL-2.0-or-later
import { partitions, qos, reservations, useCollection } from "../live";
import { Badge, Meter } from "../parts";
import { href } from "../router";
import { Table, type Column } from "../table";
import type { Partition, Qos, Reservation } from "../types";
import { count, duration, moment, now_s } from "../words";

function sum(p: Partition, key: "total" | "allocated"): number {
    return p.gpus.reduce((all, gpu) => all + gpu[key], 0);
}

const columns: Column<Partition>[] = [
    {
        key: "name",
        label: "Partition",
        show: (p) => (
            <>
                <a href={href(["nodes"], { partition: p.name })}>{p.name}</a>
                {p.default && <span class="dim"> default</span>}
            </>
        ),
        sort: (p) => p.name,
    },
    {
        key: "state",
        label: "State",
        show: (p) =>
            p.state === "up" ? (
                <Badge tone="good" sign="○">
                    up
                </Badge>
            ) : (
                <Badge tone="bad" sign="✕">
                    {p.state}
                </Badge>
            ),
        sort: (p) => p.state,
    },
    {
        key: "nodes",
        label: "Nodes",
        number: true,
        show: (p) => count(p.nodes),
        sort: (p) => p.nodes,
    },
    {
        key: "gpus",
        label: "GPUs allocated",
        show: (p) =>
            sum(p, "total") ? (
                <Meter
                    value={sum(p, "allocated")}
                    most={sum(p, "total")}
                    text={`${sum(p, "allocated")}/${sum(p, "total")} ${p.gpus
                        .map((g) => g.type)
                        .filter(Boolean)
                        .join(", ")}`}
                    label="GPUs that Slurm has given to jobs"
                />
            ) : (
                <span class="dim">none</span>
            ),
        sort: (p) => sum(p, "allocated"),
    },
    {
        key: "cpus",
        label: "CPUs allocated",
        show: (p) => (
            <Meter
                value={p.cpus_allocated}
                most={p.cpus}
                text={`${count(p.cpus_allocated)}/${count(p.cpus)}`}
                label="CPUs that Slurm has given to jobs"
            />
        ),
        sort: (p) => p.cpus_allocated,
    },
    {
        key: "running",
        label: "Running",
        number: true,
        show: (p) => (
            <a href={href(["jobs"], { partition: p.name, state: "running" })}>
                {count(p.running)}
            </a>
        ),
        sort: (p) => p.running,
    },
    {
        key: "pending",
        label: "Pending",
        number: true,
        show: (p) => (
            <a href={href(["jobs"], { partition: p.name, state: "pending" })}>
                {count(p.pending)}
            </a>
        ),
        sort: (p) => p.pending,
    },
    {
        key: "limit",
        label: "Longest job",
        number: true,
        show: (p) =>
            p.max_time_s === undefined ? "any" : duration(p.max_time_s),
        sort: (p) => p.max_time_s,
    },
];

// ---- reservations

function phase(r: Reservation): string {
    const now = now_s();
    if (r.start_s && r.start_s > now)
        return `begins in ${duration(r.start_s - now)}`;
    return r.end_s && r.end_s > now
        ? `active, ends in ${duration(r.end_s - now)}`
        : "over";
}

const reservationColumns: Column<Reservation>[] = [
    {
        key: "name",
        label: "Reservation",
        show: (r) => r.name,
        sort: (r) => r.name,
    },
    { key: "phase", label: "Now", show: phase, sort: (r) => r.start_s },
    {
        key: "nodes",
        label: "Nodes",
        wide: true,
        show: (r) => r.nodes ?? `${r.node_count}`,
        sort: (r) => r.node_count,
        title: (r) => r.nodes,
    },
    {
        key: "for",
        label: "For",
        wide: true,
        show: (r) => [...r.users, ...r.accounts].join(", ") || "–",
        sort: (r) => [...r.users, ...r.accounts].join() || undefined,
    },
    {
        key: "flags",
        label: "Flags",
        show: (r) => r.flags.join(", ") || "–",
        sort: (r) => r.flags.join() || undefined,
    },
    {
        key: "start",
        label: "Start",
        number: true,
        show: (r) => moment(r.start_s),
        sort: (r) => r.start_s,
    },
    {
        key: "end",
        label: "End",
        number: true,
        show: (r) => moment(r.end_s),
        sort: (r) => r.end_s,
    },
];

// ---- QOS

function limitsInWords(q: Qos): string {
    return q.limits
        .map(
            (l) =>
                `${l.kind.replaceAll("_", " ")} ${l.resource}: ${l.used === undefined ? "" : `${count(l.used)} of `}${count(l.limit)}`,
        )
        .join("; ");
}

const qosColumns: Column<Qos>[] = [
    { key: "name", label: "QOS", show: (q) => q.name, sort: (q) => q.name },
    {
        key: "priority",
        label: "Priority",
        number: true,
        show: (q) => count(q.priority),
        sort: (q) => q.priority,
    },
    {
        key: "running",
        label: "Running",
        number: true,
        show: (q) => count(q.jobs_running),
        sort: (q) => q.jobs_running,
    },
    {
        key: "submitted",
        label: "Submitted",
        number: true,
        show: (q) => count(q.jobs_submitted),
        sort: (q) => q.jobs_submitted,
    },
    {
        key: "limits",
        label: "Limits",
        wide: true,
        show: (q) => limitsInWords(q) || "none",
        sort: (q) => q.limits.length,
        title: limitsInWords,
    },
];

function Others() {
    const reserved = useCollection(reservations);
    const levels = useCollection(qos);
    return (
        <>
            {reserved.length > 0 && (
                <>
                    <h2>Reservations</h2>
                    <Table
                        caption="Reservations"
                        columns={reservationColumns}
                        rows={reserved}
                        id={(r) => r.name}
                        initial="start"
                        empty=""
                    />
                </>
            )}
            {levels.length > 0 && (
                <>
                    <h2>QOS</h2>
                    <Table
                        caption="QOS"
                        columns={qosColumns}
                        rows={levels}
                        id={(q) => q.name}
                        initial="-priority"
                        empty=""
                    />
                </>
            )}
        </>
    );
}

export function Partitions() {
    return (
        <main class="page">
            <header class="head">
                <h1>Partitions</h1>
            </header>
            <Table
                caption="Partitions"
                columns={columns}
                rows={useCollection(partitions)}
                id={(p) => p.name}
                initial="name"
                empty={
                    partitions.error.value ||
                    (partitions.loaded.value
                        ? "Slurm has no partition."
                        : "Loading…")
                }
            />
            <Others />
        </main>
    );
}
