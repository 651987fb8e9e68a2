// SPDX-License-Identifier: GPL-2.0-or-later
import { NodeActions } from "../actions";
import { NodeHealth } from "../health";
import { useAnswer, useGpusOf } from "../live";
import {
    Card,
    EventList,
    Facts,
    gpuName,
    JobLink,
    JobState,
    NodeState,
    UserLink,
} from "../parts";
import { Plot, RangeChoice } from "../plot";
import { href } from "../router";
import type { Event, Gpu, Job, Node } from "../types";
import {
    duration,
    memory,
    moment,
    now_s,
    percent,
    shownUse,
    useWords,
    watts,
} from "../words";
import { stateInWords } from "./nodes";

export function GpuTable(props: { gpus: Gpu[] }) {
    return (
        <div class="scroll">
            <table class="plain-table">
                <thead>
                    <tr>
                        <th scope="col">GPU</th>
                        <th scope="col">Use</th>
                        <th scope="col">Job</th>
                        <th scope="col" class="number">
                            Utilisation
                        </th>
                        <th scope="col" class="number">
                            Memory
                        </th>
                        <th scope="col" class="number">
                            Temperature
                        </th>
                        <th scope="col" class="number">
                            Power
                        </th>
                        <th scope="col">Model</th>
                    </tr>
                </thead>
                <tbody>
                    {props.gpus.map((gpu) => (
                        <tr key={gpu.id}>
                            <td>{gpuName(gpu)}</td>
                            <td>
                                {gpu.state === "up" ? (
                                    <span class={`use ${gpu.use}`}>
                                        <span
                                            class={`swatch ${shownUse(gpu)}`}
                                            aria-hidden="true"
                                        ></span>
                                        {useWords[shownUse(gpu)]}
                                        {gpu.use === "idle" && gpu.idle_since_s
                                            ? ` for ${duration(now_s() - gpu.idle_since_s)}`
                                            : ""}
                                    </span>
                                ) : (
                                    <span class="tag bad" title={gpu.trouble}>
                                        ✕ {gpu.state}
                                    </span>
                                )}
                            </td>
                            <td>
                                {(gpu.jobs ?? []).map((j) =>
                                    j.job ? (
                                        <span key={j.job}>
                                            <JobLink id={j.job}>
                                                {j.job}
                                            </JobLink>{" "}
                                            <span class="dim">
                                                {j.user}
                                            </span>{" "}
                                        </span>
                                    ) : j.hidden ? (
                                        <span key="hidden" class="dim">
                                            another user’s job
                                        </span>
                                    ) : (
                                        <span key="none" class="tag warn">
                                            a process of no job
                                        </span>
                                    ),
                                )}
                            </td>
                            <td class="number">
                                {percent(gpu.utilization_percent)}
                            </td>
                            <td class="number">
                                {memory(gpu.memory_used_mib)}
                                <span class="dim">
                                    {" "}
                                    of {memory(gpu.memory_total_mib)}
                                </span>
                            </td>
                            <td class="number">
                                {gpu.temperature_c === undefined
                                    ? "–"
                                    : `${gpu.temperature_c} °C`}
                            </td>
                            <td class="number">
                                {watts(gpu.power_watts)}
                                {gpu.power_limit_watts !== undefined && (
                                    <span class="dim">
                                        {" "}
                                        of {watts(gpu.power_limit_watts)}
                                    </span>
                                )}
                            </td>
                            <td title={gpu.uuid}>
                                {gpu.model ?? gpu.type ?? "–"}
                                {gpu.profile ? ` ${gpu.profile}` : ""}
                                {gpu.last_xid
                                    ? ` · last Xid ${gpu.last_xid}`
                                    : ""}
                            </td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}

function JobsHere(props: { node: string }) {
    const { data, error } = useAnswer<{ jobs: Job[] }>(
        `jobs?state=running,completing&node=${encodeURIComponent(props.node)}&limit=200`,
        ["jobs"],
    );
    if (!data) return <p class="empty">{error || "Loading…"}</p>;
    if (data.jobs.length === 0) return <p class="empty">No job runs here.</p>;
    return (
        <table class="plain-table">
            <thead>
                <tr>
                    <th scope="col">Job</th>
                    <th scope="col">Name</th>
                    <th scope="col">User</th>
                    <th scope="col">State</th>
                    <th scope="col" class="number">
                        GPUs
                    </th>
                    <th scope="col" class="number">
                        Runs for
                    </th>
                </tr>
            </thead>
            <tbody>
                {data.jobs.map((job) => (
                    <tr key={job.id}>
                        <td>
                            <JobLink id={job.id}>{job.job}</JobLink>
                        </td>
                        <td>{job.name}</td>
                        <td>
                            <UserLink name={job.user} />
                        </td>
                        <td>
                            <JobState state={job.state} />
                        </td>
                        <td class="number">{job.gpus}</td>
                        <td class="number">
                            {job.start_s
                                ? duration(now_s() - job.start_s)
                                : "–"}
                        </td>
                    </tr>
                ))}
            </tbody>
        </table>
    );
}

export function NodePage(props: { name: string }) {
    const path = `nodes/${encodeURIComponent(props.name)}`;
    const { data, error, missing } = useAnswer<{ nodes: Node[] }>(path, [
        "nodes",
    ]);
    const mine = useGpusOf(props.name);
    const node = missing ? undefined : data?.nodes[0];
    const events = useAnswer<{ events: Event[] }>(
        `events?node=${encodeURIComponent(props.name)}&limit=50`,
        ["events"],
    );
    if (!node)
        return (
            <main class="page">
                <h1>{props.name}</h1>
                <p class="empty">
                    {missing
                        ? "Slurm has no node of this name now."
                        : error || "Loading…"}
                </p>
                <Card title="Events">
                    <EventList
                        events={events.data?.events}
                        error={events.error}
                    />
                </Card>
            </main>
        );
    const why = stateInWords(node);
    return (
        <main class="page">
            <header class="head">
                <h1>{node.name}</h1>
                <NodeState state={node.state} flags={node.flags} />
                {why && <span>{why}</span>}
                {node.reason && node.reason_user && (
                    <span class="dim">
                        said by {node.reason_user}, {moment(node.reason_time_s)}
                    </span>
                )}
                <NodeActions node={node} />
            </header>
            <div class="columns">
                <Card title="Facts">
                    <Facts
                        facts={[
                            ["Address", node.address ?? ""],
                            ["Partitions", node.partitions.join(", ")],
                            [
                                "CPUs allocated",
                                `${node.cpus_allocated} of ${node.cpus}`,
                            ],
                            [
                                "Memory allocated",
                                `${memory(node.memory_allocated_mib)} of ${memory(node.memory_mib)}`,
                            ],
                            ["Memory free", memory(node.memory_free_mib)],
                            ["Load", node.cpu_load?.toFixed(2) ?? ""],
                            ["Features", node.features ?? ""],
                            ["Up since", moment(node.boot_time_s)],
                            ["slurmd", node.slurmd_version ?? ""],
                            [
                                "GPU exporter",
                                node.exporter
                                    ? node.exporter.state === "up"
                                        ? "answers"
                                        : (node.exporter.error ??
                                          "not asked yet")
                                    : "",
                            ],
                        ]}
                    />
                </Card>
                <Card title="Jobs here">
                    <JobsHere node={node.name} />
                </Card>
            </div>
            {mine.length > 0 && (
                <Card
                    title="GPUs"
                    class="wide"
                    more={
                        <a href={href(["gpus"], { search: node.name })}>
                            as cells
                        </a>
                    }
                >
                    <GpuTable gpus={mine} />
                </Card>
            )}
            <NodeHealth node={node.name} />
            <Card
                title="History"
                class="wide"
                more={<RangeChoice initial="1h" />}
            >
                <div class="plots">
                    {mine.length > 0 && (
                        <>
                            <Plot
                                title="GPU utilisation"
                                unit="%"
                                of="gpu"
                                top={100}
                                curves={mine.map((g) => ({
                                    id: g.id,
                                    metric: "utilization_percent",
                                    label: gpuName(g),
                                }))}
                            />
                            <Plot
                                title="GPU power"
                                unit="W"
                                of="gpu"
                                curves={mine.map((g) => ({
                                    id: g.id,
                                    metric: "power_watts",
                                    label: gpuName(g),
                                }))}
                            />
                            <Plot
                                title="GPU temperature"
                                unit="°C"
                                of="gpu"
                                curves={mine.map((g) => ({
                                    id: g.id,
                                    metric: "temperature_c",
                                    label: gpuName(g),
                                }))}
                            />
                        </>
                    )}
                    <Plot
                        title="CPUs"
                        unit="number"
                        of="node"
                        top={node.cpus}
                        curves={[
                            {
                                id: node.name,
                                metric: "cpus_allocated",
                                label: "allocated",
                            },
                            {
                                id: node.name,
                                metric: "cpu_load",
                                label: "load",
                            },
                        ]}
                    />
                </div>
            </Card>
            <Card title="Events" class="wide">
                <EventList events={events.data?.events} error={events.error} />
            </Card>
        </main>
    );
}
