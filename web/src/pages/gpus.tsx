// SPDX-License-Identifier: GPL-2.0-or-later
//
// Every GPU as a cell: the whole cluster at a glance.
import { useMemo, useState } from "preact/hooks";
import { Heat, type Cell, type Group } from "../heat";
import { gpus, jobs, nodes, useCollection } from "../live";
import { gpuName, JobLink, NodeLink, Search, Select, UserLink } from "../parts";
import { route } from "../router";
import { Table, type Column } from "../table";
import type { Gpu, Job } from "../types";
import {
    byName,
    duration,
    memory,
    now_s,
    percent,
    plural,
    shownUse,
    useWords,
    watts,
} from "../words";

interface Measure {
    label: string;
    // From 0 to 1, and what stands at both ends of the scale.
    ratio: (gpu: Gpu, job: Job | undefined) => number | undefined;
    ends: [string, string];
}

const DAY_S = 24 * 3600;

const measures: Record<string, Measure> = {
    utilization: {
        label: "Utilisation",
        ratio: (g) =>
            g.utilization_percent === undefined
                ? undefined
                : g.utilization_percent / 100,
        ends: ["0 %", "100 %"],
    },
    memory: {
        label: "Memory",
        ratio: (g) =>
            g.memory_used_mib === undefined || !g.memory_total_mib
                ? undefined
                : g.memory_used_mib / g.memory_total_mib,
        ends: ["empty", "full"],
    },
    temperature: {
        label: "Temperature",
        ratio: (g) =>
            g.temperature_c === undefined
                ? undefined
                : (g.temperature_c - 25) / 65,
        ends: ["25 °C", "90 °C"],
    },
    power: {
        label: "Power",
        ratio: (g) =>
            g.power_watts === undefined
                ? undefined
                : g.power_watts / (g.power_limit_watts ?? 700),
        ends: ["0 W", "the limit"],
    },
    age: {
        label: "Age of the job",
        ratio: (_, job) =>
            job?.start_s
                ? Math.min(1, (now_s() - job.start_s) / (2 * DAY_S))
                : undefined,
        ends: ["new", "2 days"],
    },
};

function cellText(gpu: Gpu): string {
    const job = gpu.jobs?.find((j) => j.job);
    return [
        `${gpu.id} ${gpu.model ?? gpu.type ?? ""}`,
        gpu.state === "up"
            ? useWords[shownUse(gpu)]
            : (gpu.trouble ?? gpu.state),
        job?.job ? `job ${job.job} of ${job.user ?? "?"}` : "",
        gpu.jobs?.some((j) => j.hidden) ? "another user’s job" : "",
        gpu.use === "idle" && gpu.idle_since_s
            ? `idle for ${duration(now_s() - gpu.idle_since_s)}`
            : "",
        gpu.utilization_percent === undefined
            ? ""
            : `${gpu.utilization_percent} % busy, ${memory(gpu.memory_used_mib)} of ${memory(gpu.memory_total_mib)}, ${gpu.temperature_c ?? "?"} °C, ${watts(gpu.power_watts)}`,
        gpu.simulated ? "simulated" : "",
    ]
        .filter(Boolean)
        .join("\n");
}

// Under which headings a GPU stands.
function groupsOf(
    gpu: Gpu,
    by: string,
    partitionOf: Map<string, string[]>,
): string {
    if (by === "partition")
        return partitionOf.get(gpu.node)?.join(", ") || "none";
    if (by === "user")
        return (
            gpu.jobs?.find((j) => j.user)?.user ??
            (gpu.jobs?.some((j) => j.hidden) ? "other users" : undefined) ??
            (gpu.use === "free" ? "free" : "nobody that we know")
        );
    if (by === "model") return gpu.model ?? gpu.type ?? "unknown";
    return gpu.node;
}

function usePartitions(wanted: boolean): Map<string, string[]> {
    const all = useCollection(nodes, wanted);
    return useMemo(
        () => new Map(all.map((n) => [n.name, n.partitions])),
        [all],
    );
}

function matches(gpu: Gpu): boolean {
    const query = route.value.query;
    const search = (query.get("search") ?? "").toLowerCase();
    const use = query.get("use") ?? "";
    return (
        (!use || shownUse(gpu) === use) &&
        (!search ||
            `${gpu.id} ${gpu.model ?? ""} ${gpu.type ?? ""} ${gpu.uuid ?? ""} ${(gpu.jobs ?? []).map((j) => `${j.job} ${j.user}`).join(" ")}`
                .toLowerCase()
                .includes(search))
    );
}

function Cells(props: { shown: Gpu[] }) {
    const query = route.value.query;
    const by = query.get("by") ?? "node";
    const measure =
        measures[query.get("colour") ?? "utilization"] ?? measures.utilization!;
    // All nodes and all jobs are a lot to fetch for what nobody looks at.
    const partitionOf = usePartitions(by === "partition");
    const all = useCollection(jobs, measure === measures.age);
    const groups = useMemo(() => {
        const byText = new Map(all.map((j) => [j.job, j]));
        const found = new Map<string, Cell[]>();
        for (const gpu of props.shown) {
            const name = groupsOf(gpu, by, partitionOf);
            const job = gpu.jobs?.find((j) => j.job)?.job;
            const cell: Cell = {
                id: gpu.id,
                ratio: measure.ratio(gpu, job ? byText.get(job) : undefined),
                use: shownUse(gpu),
                text: () => cellText(gpu),
                href: `#/nodes/${encodeURIComponent(gpu.node)}`,
            };
            const list = found.get(name);
            if (list) list.push(cell);
            else found.set(name, [cell]);
        }
        return [...found.entries()]
            .sort(([a], [b]) => byName(a, b))
            .map(([name, cells]): Group => ({ name, cells }));
    }, [props.shown, by, measure, partitionOf, all]);
    return <Heat groups={groups} ends={measure.ends} label={measure.label} />;
}

const columns: Column<Gpu>[] = [
    {
        key: "node",
        label: "Node",
        show: (g) => <NodeLink name={g.node} />,
        sort: (g) => g.id,
    },
    { key: "index", label: "GPU", show: gpuName, sort: (g) => g.index },
    {
        key: "use",
        label: "Use",
        show: (g) =>
            g.state === "up" ? (
                <span class={`use ${g.use}`}>
                    <span
                        class={`swatch ${shownUse(g)}`}
                        aria-hidden="true"
                    ></span>
                    {useWords[shownUse(g)]}
                </span>
            ) : (
                <span class="tag bad" title={g.trouble}>
                    ✕ {g.state}
                </span>
            ),
        sort: (g) => (g.state === "up" ? g.use : g.state),
    },
    {
        key: "job",
        label: "Job",
        show: (g) => {
            const job = g.jobs?.find((j) => j.job)?.job;
            return job ? <JobLink id={job}>{job}</JobLink> : "–";
        },
        sort: (g) => g.jobs?.find((j) => j.job)?.job,
    },
    {
        key: "user",
        label: "User",
        show: (g) => {
            const user = g.jobs?.find((j) => j.user)?.user;
            return user ? <UserLink name={user} /> : "–";
        },
        sort: (g) => g.jobs?.find((j) => j.user)?.user,
    },
    {
        key: "utilization",
        label: "Utilisation",
        number: true,
        show: (g) => percent(g.utilization_percent),
        sort: (g) => g.utilization_percent,
    },
    {
        key: "memory",
        label: "Memory",
        number: true,
        show: (g) => memory(g.memory_used_mib),
        sort: (g) => g.memory_used_mib,
    },
    {
        key: "temperature",
        label: "Temperature",
        number: true,
        show: (g) =>
            g.temperature_c === undefined ? "–" : `${g.temperature_c} °C`,
        sort: (g) => g.temperature_c,
    },
    {
        key: "power",
        label: "Power",
        number: true,
        show: (g) => watts(g.power_watts),
        sort: (g) => g.power_watts,
    },
    {
        key: "model",
        label: "Model",
        wide: true,
        show: (g) => g.model ?? g.type ?? "–",
        sort: (g) => g.model,
    },
];

export function Gpus() {
    const all = useCollection(gpus);
    const query = route.value.query.toString();
    const shown = useMemo(() => all.filter(matches), [all, query]);
    const [asTable, setTable] = useState(false);
    return (
        <main class="page">
            <header class="head">
                <h1>GPUs</h1>
                <span class="dim">{plural(shown.length, "GPU")}</span>
                <div class="fields">
                    <Search
                        name="search"
                        label="Search"
                        hint="node, job, user, model"
                    />
                    <Select
                        name="use"
                        label="Show"
                        initial=""
                        options={[
                            ["", "all"],
                            ["free", "free"],
                            ["busy", "in use"],
                            ["idle", "held, idle"],
                            ["foreign", "used by another"],
                            ["trouble", "in trouble"],
                        ]}
                    />
                    <Select
                        name="by"
                        label="Group by"
                        initial="node"
                        options={[
                            ["node", "node"],
                            ["partition", "partition"],
                            ["user", "user"],
                            ["model", "model"],
                        ]}
                    />
                    <Select
                        name="colour"
                        label="Colour"
                        initial="utilization"
                        options={Object.entries(measures).map(
                            ([k, m]): [string, string] => [k, m.label],
                        )}
                    />
                    <button
                        type="button"
                        class="button"
                        aria-pressed={asTable}
                        onClick={() => setTable(!asTable)}
                    >
                        Table
                    </button>
                </div>
            </header>
            {all.length === 0 ? (
                <p class="empty">
                    {gpus.error.value ||
                        (gpus.loaded.value
                            ? "Slurm knows of no GPU. Run gpu-watchdog doctor on a node that has some."
                            : "Loading…")}
                </p>
            ) : asTable ? (
                <Table
                    caption="GPUs"
                    columns={columns}
                    rows={shown}
                    id={(g) => g.id}
                    initial="node"
                    empty="No GPU is like that."
                />
            ) : (
                <Cells shown={shown} />
            )}
        </main>
    );
}
