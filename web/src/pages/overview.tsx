// SPDX-License-Identifier: GPL-2.0-or-later
//
// What somebody wants to know within a minute: which GPUs are free, who wastes
// one, what waits, what is wrong, and how the day was.
import { gpus, useAnswer, useCollection } from "../live";
import { Card, JobLink, Meter, NodeLink, Problems, UserLink } from "../parts";
import { Plot, RangeChoice } from "../plot";
import { href } from "../router";
import type { Cluster, ClusterGpu, Gpu } from "../types";
import {
    count,
    duration,
    now_s,
    plural,
    shownUse,
    useWords,
    watts,
} from "../words";

const parts: [keyof Shares, string, string][] = [
    ["used", "in use", "busy"],
    ["idle", "held, idle", "idle"],
    ["held", "allocated, not measured", "held"],
    ["free", "free", "free"],
    ["out", "not available", "out"],
];

interface Shares {
    used: number;
    idle: number;
    held: number;
    free: number;
    out: number;
}

// Allocated is what Slurm gave; used and idle are what was measured of it.
function shares(gpu: ClusterGpu): Shares {
    const used = Math.min(gpu.used ?? 0, gpu.allocated);
    const idle = Math.min(gpu.held_idle ?? 0, gpu.allocated - used);
    return {
        used,
        idle,
        held: gpu.allocated - used - idle,
        free: gpu.free,
        out: gpu.unavailable,
    };
}

function Model(props: { gpu: ClusterGpu }) {
    const { gpu } = props;
    const share = shares(gpu);
    const name = gpu.type ? gpu.type.toUpperCase() : "GPUs";
    return (
        <section class="card model">
            <header>
                <h2>{name}</h2>
                <a href={href(["gpus"])}>all {count(gpu.total)}</a>
            </header>
            <p class="big">
                <strong>{count(gpu.free)}</strong> free of {count(gpu.total)}
            </p>
            <div class="shares" role="img" aria-label={describe(share)}>
                {parts.map(
                    ([key, , tone]) =>
                        share[key] > 0 && (
                            <span
                                key={key}
                                class={tone}
                                style={{ flexGrow: String(share[key]) }}
                            ></span>
                        ),
                )}
            </div>
            <ul class="legend">
                {parts.map(
                    ([key, text, tone]) =>
                        share[key] > 0 && (
                            <li key={key}>
                                <span
                                    class={`swatch ${tone}`}
                                    aria-hidden="true"
                                ></span>
                                <strong>{count(share[key])}</strong> {text}
                            </li>
                        ),
                )}
            </ul>
            {gpu.free > 0 && (
                <p class="where">
                    <span class="dim">Free on </span>
                    {gpu.free_on.slice(0, 12).map((on, i) => (
                        <span key={on.node}>
                            {i > 0 && ", "}
                            <NodeLink name={on.node} />
                            <span class="dim"> ×{on.count}</span>
                        </span>
                    ))}
                    {gpu.free_on.length > 12 && (
                        <span class="dim"> and others</span>
                    )}
                </p>
            )}
        </section>
    );
}

function describe(share: Shares): string {
    return parts
        .filter(([key]) => share[key] > 0)
        .map(([key, text]) => `${share[key]} ${text}`)
        .join(", ");
}

function Wasted(props: { cluster: Cluster }) {
    const wasted = props.cluster.wasted ?? [];
    const sum = props.cluster.gpus.reduce(
        (all, gpu) => all + (gpu.held_idle ?? 0),
        0,
    );
    return (
        <Card
            title="Held but idle"
            more={
                sum > 0 ? (
                    <span class="tag warn">{plural(sum, "GPU")}</span>
                ) : null
            }
        >
            {wasted.length === 0 ? (
                <p class="fine">
                    {props.cluster.exporters?.up
                        ? "✓ Every GPU that is held is used."
                        : "No GPU is measured, so nobody can tell."}
                </p>
            ) : (
                <div
                    class="some"
                    tabIndex={0}
                    role="region"
                    aria-label="Held but idle"
                >
                    <table class="plain-table">
                        <thead>
                            <tr>
                                <th scope="col">Job</th>
                                <th scope="col">User</th>
                                <th scope="col" class="number">
                                    Idle GPUs
                                </th>
                                <th scope="col" class="number">
                                    For
                                </th>
                            </tr>
                        </thead>
                        <tbody>
                            {wasted.map((one) => (
                                <tr key={one.job}>
                                    <td>
                                        <JobLink id={one.job}>
                                            {one.job}
                                        </JobLink>
                                    </td>
                                    <td>
                                        {one.user ? (
                                            <UserLink name={one.user} />
                                        ) : (
                                            "–"
                                        )}
                                    </td>
                                    <td class="number">
                                        {one.gpus_idle} of {one.gpus}
                                    </td>
                                    <td class="number">
                                        {one.idle_since_s
                                            ? duration(
                                                  now_s() - one.idle_since_s,
                                              )
                                            : "–"}
                                    </td>
                                </tr>
                            ))}
                        </tbody>
                    </table>
                </div>
            )}
        </Card>
    );
}

const reasonWords: Record<string, string> = {
    Resources: "wait for resources to be free",
    Priority: "wait behind jobs of higher priority",
    Dependency: "wait for another job",
    BeginTime: "wait for their begin time",
    JobArrayTaskLimit: "wait for other tasks of their array",
    JobHeldUser: "held by their user",
    JobHeldAdmin: "held by an administrator",
};

function Queue(props: { cluster: Cluster }) {
    const jobs = props.cluster.jobs;
    if (!jobs) return null;
    const reasons = Object.entries(jobs.pending_by_reason).sort(
        (a, b) => b[1] - a[1],
    );
    return (
        <Card
            title="Queue"
            more={
                <span class="dim">
                    <a href={href(["jobs"], { state: "running" })}>
                        {count(jobs.running)} running
                    </a>
                    {" · "}
                    <a href={href(["jobs"], { state: "pending" })}>
                        {count(jobs.pending)} pending
                    </a>
                </span>
            }
        >
            <table class="plain-table">
                <thead>
                    <tr>
                        <th scope="col">Partition</th>
                        <th scope="col" class="number">
                            Running
                        </th>
                        <th scope="col" class="number">
                            Pending
                        </th>
                        <th scope="col" class="number">
                            Waits longest
                        </th>
                    </tr>
                </thead>
                <tbody>
                    {jobs.by_partition.map((p) => (
                        <tr key={p.partition}>
                            <td>
                                <a
                                    href={href(["jobs"], {
                                        partition: p.partition,
                                    })}
                                >
                                    {p.partition}
                                </a>
                            </td>
                            <td class="number">{count(p.running)}</td>
                            <td class="number">{count(p.pending)}</td>
                            <td class="number">
                                {p.pending ? duration(p.oldest_pending_s) : "–"}
                            </td>
                        </tr>
                    ))}
                </tbody>
            </table>
            {reasons.length > 0 && (
                <ul class="reasons">
                    {reasons.slice(0, 6).map(([reason, number]) => (
                        <li key={reason}>
                            <strong>{count(number)}</strong>{" "}
                            {reasonWords[reason] ?? `wait: ${reason}`}
                        </li>
                    ))}
                </ul>
            )}
        </Card>
    );
}

// Small clusters have room for every GPU on the first page.
const STRIP_MAX = 64;

function Strip() {
    const all = useCollection(gpus);
    if (all.length === 0) return null;
    return (
        <Card title="GPUs now" more={<a href={href(["gpus"])}>more</a>}>
            <ul class="strip">
                {all.map((gpu) => (
                    <StripGpu key={gpu.id} gpu={gpu} />
                ))}
            </ul>
        </Card>
    );
}

function StripGpu(props: { gpu: Gpu }) {
    const { gpu } = props;
    const job = gpu.jobs?.find((j) => j.job);
    const bad = gpu.state !== "up";
    return (
        <li class={bad ? "bad" : gpu.use}>
            <span class="name">
                <a href={href(["nodes", gpu.node])}>{gpu.id}</a>
            </span>
            <Meter
                value={gpu.utilization_percent}
                most={100}
                text={
                    gpu.utilization_percent === undefined
                        ? "–"
                        : `${gpu.utilization_percent} %`
                }
                label="utilisation"
            />
            <span class="what">
                {bad ? (
                    <span title={gpu.trouble}>✕ {gpu.state}</span>
                ) : job?.job ? (
                    <>
                        <JobLink id={job.job}>{job.job}</JobLink>{" "}
                        <span class="dim">{job.user}</span>
                        {gpu.use === "idle" && (
                            <span class="tag warn">idle</span>
                        )}
                    </>
                ) : (
                    <span class="dim">{useWords[shownUse(gpu)]}</span>
                )}
            </span>
        </li>
    );
}

function Day() {
    return (
        <Card title="History" more={<RangeChoice initial="24h" />} class="wide">
            <div class="plots">
                <Plot
                    title="GPUs"
                    unit="number"
                    of="cluster"
                    range="24h"
                    curves={[
                        { id: "", metric: "gpus_total", label: "all" },
                        {
                            id: "",
                            metric: "gpus_allocated",
                            label: "allocated",
                        },
                        { id: "", metric: "gpus_used", label: "in use" },
                    ]}
                />
                <Plot
                    title="Jobs"
                    unit="number"
                    of="cluster"
                    range="24h"
                    curves={[
                        { id: "", metric: "jobs_running", label: "running" },
                        { id: "", metric: "jobs_pending", label: "pending" },
                    ]}
                />
                <Plot
                    title="Power of the GPUs"
                    unit="W"
                    of="cluster"
                    range="24h"
                    curves={[{ id: "", metric: "power_watts", label: "power" }]}
                />
            </div>
        </Card>
    );
}

export function Overview() {
    const { data, error } = useAnswer<Cluster>("cluster", [
        "nodes",
        "jobs",
        "gpus",
    ]);
    if (!data)
        return (
            <main class="page">
                <p class="empty">{error || "Loading…"}</p>
            </main>
        );
    const states = Object.entries(data.nodes.by_state);
    // The GPUs of a large cluster are megabytes, and are not asked for here.
    const total = data.gpus.reduce((sum, gpu) => sum + gpu.total, 0);
    return (
        <main class="page">
            <h1 class="unseen">Overview of {data.name}</h1>
            <div class="models">
                {data.gpus.map((gpu) => (
                    <Model key={gpu.type} gpu={gpu} />
                ))}
                {data.gpus.length === 0 && (
                    <section class="card model">
                        <h2>No GPUs</h2>
                        <p>
                            Slurm knows of none.{" "}
                            <code>gpu-watchdog doctor</code> on a node that has
                            some says why.
                        </p>
                    </section>
                )}
                <section class="card model">
                    <header>
                        <h2>Nodes</h2>
                        <a href={href(["nodes"])}>
                            all {count(data.nodes.total)}
                        </a>
                    </header>
                    <ul class="legend tall">
                        {states.map(([state, number]) => (
                            <li key={state}>
                                <strong>{count(number)}</strong> {state}
                            </li>
                        ))}
                    </ul>
                    {data.power_watts !== undefined && (
                        <p class="where">
                            <span class="dim">GPUs draw </span>
                            {watts(data.power_watts)}
                        </p>
                    )}
                </section>
            </div>
            <div class="columns">
                <Card
                    title="What is wrong"
                    more={
                        data.problems.length > 0 ? (
                            <span class="tag bad">{data.problems.length}</span>
                        ) : null
                    }
                >
                    <Problems problems={data.problems} />
                </Card>
                <Wasted cluster={data} />
                <Queue cluster={data} />
            </div>
            {total <= STRIP_MAX && <Strip />}
            <Day />
        </main>
    );
}
