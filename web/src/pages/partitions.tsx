// SPDX-License-Identifier: GPL-2.0-or-later
import { partitions, useCollection } from "../live";
import { Badge, Meter } from "../parts";
import { href } from "../router";
import { Table, type Column } from "../table";
import type { Partition } from "../types";
import { count, duration } from "../words";

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
        </main>
    );
}
