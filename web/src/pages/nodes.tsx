// SPDX-License-Identifier: GPL-2.0-or-later
import { nodes, useCollection } from "../live";
import { Meter, NodeLink, NodeState, Search, Select } from "../parts";
import { route } from "../router";
import { Table, type Column } from "../table";
import type { Node } from "../types";
import { flagsInWords, memory, plural } from "../words";

function gpusOf(node: Node): [number, number] {
    return node.gpus.reduce(
        ([used, total], gpu) => [used + gpu.allocated, total + gpu.total],
        [0, 0],
    );
}

export function stateInWords(node: Node): string {
    return [flagsInWords(node.flags), node.reason].filter(Boolean).join(": ");
}

const columns: Column<Node>[] = [
    {
        key: "name",
        label: "Node",
        show: (n) => <NodeLink name={n.name} />,
        sort: (n) => n.name,
    },
    {
        key: "state",
        label: "State",
        show: (n) => <NodeState state={n.state} flags={n.flags} />,
        sort: (n) => n.state,
    },
    {
        key: "gpus",
        label: "GPUs allocated",
        show: (n) => {
            const [used, total] = gpusOf(n);
            return total ? (
                <Meter
                    value={used}
                    most={total}
                    text={`${used}/${total} ${n.gpus
                        .map((g) => g.type)
                        .filter(Boolean)
                        .join(", ")}`}
                    label="GPUs that Slurm has given to jobs"
                />
            ) : (
                <span class="dim">none</span>
            );
        },
        sort: (n) => gpusOf(n)[0],
    },
    {
        key: "cpus",
        label: "CPUs allocated",
        show: (n) => (
            <Meter
                value={n.cpus_allocated}
                most={n.cpus}
                text={`${n.cpus_allocated}/${n.cpus}`}
                label="CPUs that Slurm has given to jobs"
            />
        ),
        sort: (n) => n.cpus_allocated / n.cpus,
    },
    {
        key: "memory",
        label: "Memory allocated",
        show: (n) => (
            <Meter
                value={n.memory_allocated_mib}
                most={n.memory_mib}
                text={`${memory(n.memory_allocated_mib)} of ${memory(n.memory_mib)}`}
                label="Memory that Slurm has given to jobs"
            />
        ),
        sort: (n) => n.memory_allocated_mib,
    },
    {
        key: "load",
        label: "Load",
        number: true,
        show: (n) => n.cpu_load?.toFixed(2) ?? "–",
        sort: (n) => n.cpu_load,
    },
    {
        key: "reason",
        label: "Why",
        wide: true,
        show: (n) => stateInWords(n),
        sort: (n) => stateInWords(n) || undefined,
        title: stateInWords,
    },
];

export function Nodes() {
    const all = useCollection(nodes);
    const query = route.value.query;
    const search = (query.get("search") ?? "").toLowerCase();
    const state = query.get("state") ?? "";
    const partition = query.get("partition") ?? "";
    const states = [...new Set(all.map((n) => n.state))].sort();
    const names = [...new Set(all.flatMap((n) => n.partitions))].sort();
    const shown = all.filter(
        (n) =>
            (!state || n.state === state) &&
            (!partition || n.partitions.includes(partition)) &&
            (!search ||
                `${n.name} ${n.features ?? ""} ${n.reason ?? ""}`
                    .toLowerCase()
                    .includes(search)),
    );
    return (
        <main class="page">
            <header class="head">
                <h1>Nodes</h1>
                <span class="dim">{plural(shown.length, "node")}</span>
                <div class="fields">
                    <Search
                        name="search"
                        label="Search"
                        hint="name, feature, reason"
                    />
                    <Select
                        name="state"
                        label="State"
                        initial=""
                        options={[
                            ["", "any"],
                            ...states.map((s): [string, string] => [s, s]),
                        ]}
                    />
                    <Select
                        name="partition"
                        label="Partition"
                        initial=""
                        options={[
                            ["", "any"],
                            ...names.map((s): [string, string] => [s, s]),
                        ]}
                    />
                </div>
            </header>
            <Table
                caption="Nodes"
                columns={columns}
                rows={shown}
                id={(n) => n.name}
                initial="name"
                empty={
                    nodes.error.value ||
                    (nodes.loaded.value ? "No node is like that." : "Loading…")
                }
            />
        </main>
    );
}
