// SPDX-License-Identifier: GPL-2.0-or-later
//
// Jobs: those that Slurm knows, and those that are over. The tasks of an array
// are one row until it is opened. Which columns are shown is the reader's to
// choose, and is part of the address.
import { useEffect, useMemo, useState } from "preact/hooks";
import { get, jobs, paused, useAnswer, useCollection, versions } from "../live";
import { useManyJobs, type Row } from "../many-jobs";
import { JobLink, JobState, Meter, Search, Select, UserLink } from "../parts";
import { choose, route } from "../router";
import { Table, type Column } from "../table";
import type { Job } from "../types";
import {
    count,
    duration,
    memory,
    moment,
    now_s,
    percent,
    plural,
} from "../words";

function runs(job: Job): number | undefined {
    if (!job.start_s || job.state === "pending") return undefined;
    const end = /running|suspended|completing/.test(job.state)
        ? now_s()
        : (job.end_s ?? now_s());
    return end - job.start_s;
}

function why(job: Job): string {
    if (job.state === "pending")
        return job.reason_text ?? job.reason_detail ?? job.reason ?? "";
    return job.reason ?? "";
}

const columns: Column<Row>[] = [
    {
        key: "job",
        label: "Job",
        show: ({ job, tasks, fold }) =>
            fold ? (
                <button
                    type="button"
                    class="fold"
                    onClick={() => toggle(fold)}
                    aria-expanded={false}
                >
                    ▸ {job.array_id} ×{tasks}
                </button>
            ) : (
                <>
                    <JobLink id={job.id}>{job.job}</JobLink>
                    {tasks > 1 && <span class="dim"> ×{tasks}</span>}
                </>
            ),
        sort: ({ job }) => job.id,
    },
    {
        key: "name",
        label: "Name",
        wide: true,
        show: ({ job }) => job.name,
        sort: ({ job }) => job.name,
        title: ({ job }) => job.name,
    },
    {
        key: "user",
        label: "User",
        show: ({ job }) => <UserLink name={job.user} />,
        sort: ({ job }) => job.user,
    },
    {
        key: "account",
        label: "Account",
        show: ({ job }) => job.account ?? "–",
        sort: ({ job }) => job.account,
    },
    {
        key: "partition",
        label: "Partition",
        show: ({ job }) => job.partition,
        sort: ({ job }) => job.partition,
    },
    {
        key: "qos",
        label: "QOS",
        show: ({ job }) => job.qos ?? "–",
        sort: ({ job }) => job.qos,
    },
    {
        key: "state",
        label: "State",
        show: ({ job }) => <JobState state={job.state} />,
        sort: ({ job }) => job.state,
    },
    {
        key: "gpus",
        label: "GPUs",
        number: true,
        show: ({ job }) =>
            job.gpus ? (
                <>
                    {count(job.gpus)} <span class="dim">{job.gpu_type}</span>
                </>
            ) : (
                <span class="dim">–</span>
            ),
        sort: ({ job }) => job.gpus,
    },
    {
        key: "use",
        label: "GPU utilisation",
        show: ({ job }) => {
            const value =
                job.gpu_utilization_percent ??
                job.efficiency?.gpu_utilization_percent;
            if (value === undefined) return <span class="dim">–</span>;
            return (
                <>
                    <Meter
                        value={value}
                        most={100}
                        text={percent(value)}
                        label="measured, mean of its GPUs"
                    />
                    {(job.gpus_idle ?? 0) > 0 && (
                        <span class="tag warn">{job.gpus_idle} idle</span>
                    )}
                </>
            );
        },
        sort: ({ job }) =>
            job.gpu_utilization_percent ??
            job.efficiency?.gpu_utilization_percent,
    },
    {
        key: "cpus",
        label: "CPUs",
        number: true,
        show: ({ job }) => count(job.cpus),
        sort: ({ job }) => job.cpus,
    },
    {
        key: "memory",
        label: "Memory",
        number: true,
        show: ({ job }) => memory(job.memory_mib),
        sort: ({ job }) => job.memory_mib,
    },
    {
        key: "nodes",
        label: "Nodes",
        show: ({ job }) =>
            job.nodes ?? <span class="dim">{job.node_count} wanted</span>,
        sort: ({ job }) => job.nodes,
        title: ({ job }) => job.nodes,
    },
    {
        key: "runs",
        label: "Runs for",
        number: true,
        show: ({ job }) => duration(runs(job)),
        sort: ({ job }) => runs(job),
    },
    {
        key: "submit",
        label: "Submitted",
        number: true,
        show: ({ job }) => moment(job.submit_s),
        sort: ({ job }) => job.submit_s,
    },
    {
        key: "start",
        label: "Start",
        number: true,
        show: ({ job }) =>
            job.state === "pending" && job.start_s ? (
                <span class="dim">expected {moment(job.start_s)}</span>
            ) : (
                moment(job.start_s)
            ),
        sort: ({ job }) => job.start_s,
    },
    {
        key: "end",
        label: "End",
        number: true,
        show: ({ job }) => moment(job.end_s),
        sort: ({ job }) => job.end_s,
    },
    {
        key: "priority",
        label: "Priority",
        number: true,
        show: ({ job }) => count(job.priority),
        sort: ({ job }) => job.priority,
    },
    {
        key: "why",
        label: "Why",
        wide: true,
        show: ({ job }) => why(job),
        sort: ({ job }) => why(job) || undefined,
        title: ({ job }) => why(job),
    },
];

const usual: Record<string, string> = {
    live: "job,name,user,partition,state,gpus,use,nodes,runs,why",
    pending: "job,name,user,partition,gpus,cpus,submit,start,why",
    finished: "job,name,user,partition,state,gpus,use,runs,end",
};

// ---- arrays

function opened(): Set<string> {
    return new Set(
        (route.value.query.get("open") ?? "").split(",").filter(Boolean),
    );
}

function toggle(fold: string): void {
    const set = opened();
    if (!set.delete(fold)) set.add(fold);
    choose({ open: [...set].join(",") });
}

function fold(all: Job[]): Row[] {
    const open = opened();
    const groups = new Map<string, Row>();
    const rows: Row[] = [];
    for (const job of all) {
        const tasks = job.tasks ?? 1;
        const key = job.array_id ? `${job.array_id}:${job.state}` : "";
        if (!key || job.task === undefined || open.has(key)) {
            rows.push({ job, tasks });
            continue;
        }
        const group = groups.get(key);
        if (group) {
            group.tasks++;
            group.fold = key;
        } else {
            const row = { job, tasks };
            groups.set(key, row);
            rows.push(row);
        }
    }
    return rows;
}

// ---- the list

const liveStates = /^(running|pending|suspended|completing|configuring)/;

function matches(job: Job): boolean {
    const query = route.value.query;
    const state = query.get("state") ?? "";
    const search = (query.get("search") ?? "").toLowerCase();
    return (
        (state ? job.state === state : liveStates.test(job.state)) &&
        (!query.get("user") || job.user === query.get("user")) &&
        (!query.get("account") || job.account === query.get("account")) &&
        (!query.get("partition") ||
            job.partition.split(",").includes(query.get("partition")!)) &&
        (!search ||
            `${job.job} ${job.name} ${job.user} ${job.account ?? ""} ${job.nodes ?? ""}`
                .toLowerCase()
                .includes(search))
    );
}

// Past this many the server chooses and orders, and sends what is looked at.
const WHOLE_MAX = 20000;

function Few() {
    const all = useCollection(jobs);
    const query = route.value.query.toString();
    const rows = useMemo(() => fold(all.filter(matches)), [all, query]);
    return (
        <>
            {opened().size > 0 && (
                <button
                    type="button"
                    class="button"
                    onClick={() => choose({ open: undefined })}
                >
                    Fold the arrays again
                </button>
            )}
            <List
                rows={rows}
                error={jobs.error.value}
                loaded={jobs.loaded.value}
                kind={
                    route.value.query.get("state") === "pending"
                        ? "pending"
                        : "live"
                }
                initial="-job"
            />
        </>
    );
}

function Many() {
    const { rows, loaded, error, need } = useManyJobs();
    const pending = route.value.query.get("state") === "pending";
    return (
        <List
            rows={rows}
            error={error}
            loaded={loaded}
            kind={pending ? "pending" : "live"}
            initial="-job"
            need={need}
        />
    );
}

function Finished() {
    const query = route.value.query;
    const wish = new URLSearchParams({ limit: "1000" });
    for (const name of ["user", "account", "partition"])
        if (query.get(name)) wish.set(name, query.get(name)!);
    const { data, error } = useAnswer<{ jobs: Job[] }>(`history?${wish}`, [
        "jobs",
    ]);
    const search = (query.get("search") ?? "").toLowerCase();
    const rows = (data?.jobs ?? [])
        .filter((j) =>
            `${j.job} ${j.name} ${j.user}`.toLowerCase().includes(search),
        )
        .map((job) => ({ job, tasks: 1 }));
    return (
        <List
            rows={rows}
            error={error}
            loaded={data !== null}
            kind="finished"
            initial="-end"
        />
    );
}

function List(props: {
    rows: Row[];
    error: string;
    loaded: boolean;
    kind: string;
    initial: string;
    need?: (first: number, last: number) => void;
}) {
    const wish = route.value.query.get("columns") ?? usual[props.kind]!;
    const shown = columns.filter((c) => wish.split(",").includes(c.key));
    const empty =
        props.error || (props.loaded ? "No job is like that." : "Loading…");
    return (
        <>
            <Table
                caption="Jobs"
                columns={shown}
                rows={props.rows}
                id={(row) => (row.fold ? `f${row.fold}` : row.job.id)}
                initial={props.initial}
                empty={empty}
                mark={({ job }) => (job.gpus_idle ? "warned" : undefined)}
                need={props.need}
            />
            <ColumnChoice
                shown={shown.map((c) => c.key)}
                usual={usual[props.kind]!}
            />
        </>
    );
}

function ColumnChoice(props: { shown: string[]; usual: string }) {
    const set = (key: string, on: boolean) => {
        const next = columns
            .map((c) => c.key)
            .filter((k) => (k === key ? on : props.shown.includes(k)))
            .join();
        choose({ columns: next === props.usual ? undefined : next });
    };
    return (
        <details class="columns-choice">
            <summary>Columns</summary>
            <div class="checks">
                {columns.map((c) => (
                    <label key={c.key}>
                        <input
                            type="checkbox"
                            checked={props.shown.includes(c.key)}
                            onChange={(e) =>
                                set(c.key, e.currentTarget.checked)
                            }
                        />
                        {c.label}
                    </label>
                ))}
            </div>
        </details>
    );
}

// How many jobs there are, before all of them are asked for.
function useTotal(): number | null {
    const [total, setTotal] = useState<number | null>(
        jobs.loaded.peek() ? jobs.list.peek().length : null,
    );
    const known = versions.value !== null || paused.value;
    useEffect(() => {
        get<{ total: number }>("jobs?limit=1")
            .then((answer) => setTotal(answer.total))
            .catch(() => setTotal(0));
    }, [known]);
    return total;
}

export function Jobs() {
    const query = route.value.query;
    const total = useTotal();
    const finished = query.get("state") === "finished";
    const download = `/api/v1/jobs?format=csv${query.get("user") ? `&user=${encodeURIComponent(query.get("user")!)}` : ""}`;
    return (
        <main class="page">
            <header class="head">
                <h1>Jobs</h1>
                {total !== null && (
                    <span class="dim">
                        {plural(total, "job")} known to Slurm
                    </span>
                )}
                <div class="fields">
                    <Select
                        name="state"
                        label="State"
                        initial=""
                        options={[
                            ["", "running and pending"],
                            ["running", "running"],
                            ["pending", "pending"],
                            ["finished", "over"],
                        ]}
                    />
                    <Search
                        name="search"
                        label="Search"
                        hint="number, name, user, node"
                    />
                    <Search name="user" label="User" />
                    <Search name="partition" label="Partition" />
                    <a class="button" href={download} download="jobs.csv">
                        CSV
                    </a>
                </div>
            </header>
            {finished ? (
                <Finished />
            ) : total === null ? (
                <p class="empty">Loading…</p>
            ) : total > WHOLE_MAX ? (
                <Many />
            ) : (
                <Few />
            )}
        </main>
    );
}
