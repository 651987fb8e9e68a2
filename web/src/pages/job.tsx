// SPDX-License-Identifier: GPL-2.0-or-later
import { JobActions, JobScript } from "../actions";
import { useAnswer, useGpusOf } from "../live";
import {
    AdviceList,
    Card,
    EventList,
    Facts,
    JobState,
    Meter,
    UserLink,
} from "../parts";
import { Plot } from "../plot";
import { href } from "../router";
import type { Event, GpuUse, Job } from "../types";
import { duration, memory, moment, now_s, percent, watts } from "../words";
import { GpuTable } from "./node";

const MARGIN_S = 60;

function over(job: Job): boolean {
    return !/running|pending|suspended|completing|configuring/.test(job.state);
}

type FactList = Parameters<typeof Facts>[0]["facts"];

function used(value: number | undefined, most: number, text: string) {
    return value === undefined || !most ? (
        ""
    ) : (
        <Meter value={value} most={most} text={text} label="used" />
    );
}

const SHOWN_GPUS = 16;

// What did nothing is marked; with many, those that did least come first.
function EachGpu(props: { gpus: GpuUse[] }) {
    const many = props.gpus.length > SHOWN_GPUS;
    const shown = many
        ? [...props.gpus]
              .sort(
                  (a, b) =>
                      (a.utilization_percent ?? 0) -
                      (b.utilization_percent ?? 0),
              )
              .slice(0, SHOWN_GPUS)
        : props.gpus;
    return (
        <>
            {shown.map((g) => (
                <span key={g.id} class="each">
                    {g.id}{" "}
                    <span class={g.utilization_percent === 0 ? "tag warn" : ""}>
                        {percent(g.utilization_percent)}
                    </span>
                </span>
            ))}
            {many && (
                <span class="dim">
                    and {props.gpus.length - SHOWN_GPUS} that did more
                </span>
            )}
        </>
    );
}

function gpuFacts(job: Job): FactList {
    const done = job.efficiency;
    const utilisation =
        done?.gpu_utilization_percent ?? job.gpu_utilization_percent;
    const count = done?.gpus_used ?? job.gpus_used;
    const most = done?.gpu_memory_most_mib ?? job.gpu_memory_used_mib;
    return [
        ["GPUs asked for", `${job.gpus} ${job.gpu_type ?? ""}`],
        [
            done ? "GPUs used, mean" : "GPUs used now",
            used(count, job.gpus, String(count)),
        ],
        [
            done ? "GPU utilisation, mean" : "GPU utilisation now",
            used(utilisation, 100, percent(utilisation)),
        ],
        [
            "Each of them",
            done?.gpus?.length ? <EachGpu gpus={done.gpus} /> : "",
        ],
        [done ? "GPU memory, most" : "GPU memory now", memory(most)],
        [
            "Power now",
            job.power_watts === undefined ? "" : watts(job.power_watts),
        ],
        [
            "Energy of its GPUs",
            done?.energy_wh === undefined
                ? ""
                : done.energy_wh < 1000
                  ? `${done.energy_wh} Wh`
                  : `${(done.energy_wh / 1000).toFixed(1)} kWh`,
        ],
    ];
}

function hostFacts(job: Job): FactList {
    const done = job.efficiency;
    const cpus = done?.cpus_used ?? job.cpus_used;
    const most = done?.memory_most_mib ?? job.memory_used_mib;
    return [
        [
            done ? "CPUs used, mean" : "CPUs used now",
            used(cpus, job.cpus, `${cpus?.toFixed(1)} of ${job.cpus}`),
        ],
        [
            done ? "Memory, most seen" : "Memory now",
            job.memory_mib
                ? used(
                      most,
                      job.memory_mib,
                      `${memory(most)} of ${memory(job.memory_mib)}`,
                  )
                : memory(most),
        ],
    ];
}

// What was asked for, beside what is used of it.
function Efficiency(props: { job: Job }) {
    const { job } = props;
    const measured = job.efficiency ?? job;
    const gpus =
        job.gpus > 0 &&
        (measured.gpu_utilization_percent ?? measured.gpus_used) !== undefined;
    const host = measured.cpus_used !== undefined;
    return (
        <>
            {(gpus || host) && (
                <Facts
                    facts={[
                        ...(gpus ? gpuFacts(job) : []),
                        ...(host ? hostFacts(job) : []),
                    ]}
                />
            )}
            {job.gpus > 0 && !gpus && (
                <p class="empty">Nothing was measured of its GPUs.</p>
            )}
            {!host && (
                <p class="empty">
                    Its CPUs and memory are measured on nodes where our
                    gpu-exporter runs.
                </p>
            )}
            <AdviceList advice={job.advice} />
        </>
    );
}

// Of all its nodes together, with or without GPUs.
function HostPlots(props: { job: Job; from_s: number; to_s?: number }) {
    const { job, from_s, to_s } = props;
    return (
        <>
            <Plot
                title="CPUs used"
                unit="CPUs"
                of="job"
                top={job.cpus}
                from_s={from_s}
                to_s={to_s}
                curves={[{ id: job.job, metric: "cpu_cores", label: "CPUs" }]}
            />
            <Plot
                title="Memory of its processes"
                unit="GiB"
                scale={1024}
                of="job"
                from_s={from_s}
                to_s={to_s}
                curves={[
                    {
                        id: job.job,
                        metric: "memory_used_mib",
                        label: "memory",
                    },
                ]}
            />
        </>
    );
}

function Plots(props: { job: Job; ids: string[] }) {
    const { job, ids } = props;
    const from_s = (job.start_s ?? now_s()) - MARGIN_S;
    const to_s = over(job) ? (job.end_s ?? now_s()) + MARGIN_S : undefined;
    const each = (metric: string) =>
        ids.map((id) => ({ id, metric, label: id }));
    const host = <HostPlots job={job} from_s={from_s} to_s={to_s} />;
    if (!job.gpus) return <div class="plots">{host}</div>;
    // Nobody noted which GPUs it had, or they are not for the reader to know.
    if (ids.length === 0)
        return (
            <div class="plots">
                <Plot
                    title="GPU utilisation, mean of its GPUs"
                    unit="%"
                    of="job"
                    top={100}
                    from_s={from_s}
                    to_s={to_s}
                    curves={[
                        {
                            id: job.job,
                            metric: "gpu_utilization_percent",
                            label: "utilisation",
                        },
                    ]}
                />
                <Plot
                    title="GPU memory"
                    unit="GiB"
                    scale={1024}
                    of="job"
                    from_s={from_s}
                    to_s={to_s}
                    curves={[
                        {
                            id: job.job,
                            metric: "gpu_memory_used_mib",
                            label: "memory",
                        },
                    ]}
                />
                <Plot
                    title="Power of its GPUs"
                    unit="W"
                    of="job"
                    from_s={from_s}
                    to_s={to_s}
                    curves={[
                        { id: job.job, metric: "power_watts", label: "power" },
                    ]}
                />
                {host}
            </div>
        );
    return (
        <div class="plots">
            <Plot
                title="GPU utilisation"
                unit="%"
                of="gpu"
                top={100}
                from_s={from_s}
                to_s={to_s}
                curves={each("utilization_percent")}
            />
            <Plot
                title="GPU memory"
                unit="GiB"
                scale={1024}
                of="gpu"
                from_s={from_s}
                to_s={to_s}
                curves={each("memory_used_mib")}
            />
            <Plot
                title="GPU power"
                unit="W"
                of="gpu"
                from_s={from_s}
                to_s={to_s}
                curves={each("power_watts")}
            />
            <Plot
                title="GPU temperature"
                unit="°C"
                of="gpu"
                from_s={from_s}
                to_s={to_s}
                curves={each("temperature_c")}
            />
            {host}
        </div>
    );
}

function TimeLine(props: { job: Job }) {
    const { job } = props;
    const waits = job.state === "pending";
    const waited =
        (waits ? now_s() : (job.start_s ?? now_s())) - (job.submit_s ?? 0);
    return (
        <Facts
            facts={[
                ["Submitted", moment(job.submit_s)],
                [
                    waits ? "Waits for" : "Waited for",
                    job.submit_s ? duration(waited) : "",
                ],
                [
                    waits ? "Expected to start" : "Started",
                    waits && !job.start_s
                        ? "Slurm has no estimate yet"
                        : moment(job.start_s),
                ],
                [
                    over(job) ? "Ended" : "Ends at the latest",
                    waits || !job.time_limit_s
                        ? over(job)
                            ? moment(job.end_s)
                            : ""
                        : moment(job.end_s),
                ],
                [
                    "Ran for",
                    !waits && job.start_s
                        ? duration(
                              (over(job) ? (job.end_s ?? 0) : now_s()) -
                                  job.start_s,
                          )
                        : "",
                ],
                [
                    "Time limit",
                    job.time_limit_s === undefined
                        ? "none"
                        : duration(job.time_limit_s),
                ],
                ["Restarts", job.restarts ?? ""],
            ]}
        />
    );
}

export function JobPage(props: { id: string; nodesPrivate: boolean }) {
    // "17_3" and "17+1" are looked for by their text.
    const numeric = /^\d+$/.test(props.id);
    const found = useAnswer<{ jobs: Job[] }>(
        numeric
            ? "jobs?limit=1"
            : `jobs?search=${encodeURIComponent(props.id)}&limit=50`,
        numeric ? [] : ["jobs"],
    );
    const named = numeric
        ? props.id
        : String(found.data?.jobs.find((j) => j.job === props.id)?.id ?? 0);
    const {
        data: job,
        error,
        missing,
    } = useAnswer<Job>(`jobs/${named}`, ["jobs", "gpus"]);
    const events = useAnswer<{ events: Event[] }>(
        `events?job=${named}&limit=50`,
        ["events"],
    );
    const all = useGpusOf(job?.gpu_ids?.length ? (job.nodes ?? "") : "");
    if (!job)
        return (
            <main class="page">
                <h1>Job {props.id}</h1>
                <p class="empty">
                    {missing && (numeric || found.data)
                        ? "Neither Slurm nor our history knows it. One submitted just now appears in a moment; Slurm forgets a job some minutes after its end; we keep those that ended while we watched."
                        : error || "Loading…"}
                </p>
            </main>
        );
    const ids = job.gpu_ids ?? [];
    const mine = all.filter((g) => ids.includes(g.id));
    const had = props.nodesPrivate
        ? []
        : (job.efficiency?.gpus ?? []).map((g) => g.id);
    return (
        <main class="page">
            <header class="head">
                <h1>
                    Job {job.job} <span class="dim">{job.name}</span>
                </h1>
                <JobState state={job.state} />
                <span>
                    of <UserLink name={job.user} />
                </span>
                <JobActions job={job} />
            </header>
            {job.state === "pending" && (
                <p class="note">
                    {job.reason_text ?? "It waits."}{" "}
                    {job.reason && <span class="dim">({job.reason})</span>}{" "}
                    {job.reason_detail}
                </p>
            )}
            <div class="columns">
                <Card title="Efficiency">
                    <Efficiency job={job} />
                </Card>
                <Card title="Times">
                    <TimeLine job={job} />
                </Card>
                <Card title="Allocation">
                    <Facts
                        facts={[
                            ["Partition", job.partition],
                            ["Account", job.account ?? ""],
                            ["QOS", job.qos ?? ""],
                            ["Nodes", job.nodes ?? `${job.node_count} wanted`],
                            ["CPUs", job.cpus],
                            ["Memory", memory(job.memory_mib)],
                            [
                                "GPUs",
                                job.gpus
                                    ? `${job.gpus} ${job.gpu_type ?? ""}`
                                    : "none",
                            ],
                            ["TRES", job.tres ?? ""],
                            ["Depends on", job.dependency ?? ""],
                            ["Reservation", job.reservation ?? ""],
                            ["Licences", job.licenses ?? ""],
                            ["Priority", job.priority ?? ""],
                            [
                                "Array",
                                job.array_id ? (
                                    <a
                                        href={href(["jobs"], {
                                            search: `${job.array_id}_`,
                                        })}
                                    >
                                        {job.array_id}
                                    </a>
                                ) : (
                                    ""
                                ),
                            ],
                        ]}
                    />
                </Card>
            </div>
            {mine.length > 0 && (
                <Card title="Its GPUs now" class="wide">
                    <GpuTable gpus={mine} />
                </Card>
            )}
            {job.state !== "pending" && (
                <Card title="History" class="wide">
                    <Plots job={job} ids={over(job) ? had : ids} />
                </Card>
            )}
            <JobScript job={job} />
            <Card title="Events" class="wide">
                <EventList events={events.data?.events} error={events.error} />
            </Card>
        </main>
    );
}
