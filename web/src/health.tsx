// SPDX-License-Identifier: GPL-2.0-or-later
//
// How often nodes failed: a node's time-line, and those that failed most.
import { useAnswer } from "./live";
import { Card, Facts } from "./parts";
import { href } from "./router";
import type { HealthAnswer, HealthNode } from "./types";
import { duration, moment } from "./words";

const WORDS: Record<string, string> = {
    up: "in service",
    drained: "drained",
    failed: "failed",
    gone: "not in the cluster",
};

function since(answer: HealthAnswer): string {
    return `last ${duration(answer.to_s - answer.from_s)}`;
}

// Of the time that it was in the cluster.
function inService(node: HealthNode): string {
    const known = node.up_s + node.failed_s + node.drained_s;
    if (known <= 0) return "–";
    const percent = (node.up_s / known) * 100;
    return percent === 100
        ? "all the time"
        : `${percent.toFixed(percent > 99 ? 2 : 1)} %`;
}

function times(n: number): string {
    return n === 0 ? "never" : n === 1 ? "once" : `${n} times`;
}

function TimeLine(props: { answer: HealthAnswer }) {
    const { from_s, to_s, spans = [] } = props.answer;
    const shown = spans.map((span, i) => ({
        ...span,
        end_s: spans[i + 1]?.from_s ?? to_s,
    }));
    return (
        <>
            <div class="timeline" aria-hidden="true">
                {shown.map((span) => (
                    <span
                        key={span.from_s}
                        class={span.state}
                        title={`${WORDS[span.state]} from ${moment(span.from_s)} for ${duration(span.end_s - span.from_s)}`}
                        style={{
                            left: `${((span.from_s - from_s) / (to_s - from_s)) * 100}%`,
                            width: `${((span.end_s - span.from_s) / (to_s - from_s)) * 100}%`,
                        }}
                    ></span>
                ))}
            </div>
            <div class="timeline-ends dim" aria-hidden="true">
                <span>{moment(from_s)}</span>
                <span>now</span>
            </div>
            {shown.length > 1 && (
                <details class="figures">
                    <summary>As a table</summary>
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">From</th>
                                <th scope="col">State</th>
                                <th scope="col" class="number">
                                    For
                                </th>
                            </tr>
                        </thead>
                        <tbody>
                            {shown
                                .slice(-60)
                                .reverse()
                                .map((span) => (
                                    <tr key={span.from_s}>
                                        <td>{moment(span.from_s)}</td>
                                        <td>{WORDS[span.state]}</td>
                                        <td class="number">
                                            {duration(span.end_s - span.from_s)}
                                        </td>
                                    </tr>
                                ))}
                        </tbody>
                    </table>
                </details>
            )}
        </>
    );
}

export function NodeHealth(props: { node: string }) {
    const { data, error } = useAnswer<HealthAnswer>(
        `health?node=${encodeURIComponent(props.node)}`,
        ["events"],
    );
    const node = data?.nodes[0];
    return (
        <Card
            title="Health"
            class="wide"
            more={data && <span class="dim">{since(data)}</span>}
        >
            {data && node ? (
                <>
                    <TimeLine answer={data} />
                    <Facts
                        facts={[
                            ["In service", inService(node)],
                            ["Failed", times(node.failures)],
                            [
                                "Time between failures",
                                node.between_failures_s
                                    ? `${duration(node.between_failures_s)} on average`
                                    : "",
                            ],
                            ["Drained", times(node.drains)],
                            [
                                "Xid errors of its GPUs",
                                node.xids ? String(node.xids) : "none",
                            ],
                        ]}
                    />
                </>
            ) : (
                <p class="empty">{error || "Loading…"}</p>
            )}
        </Card>
    );
}

export function FailedMost() {
    const { data, error } = useAnswer<HealthAnswer>("health?limit=10", []);
    return (
        <Card
            title="Nodes that failed most"
            class="wide"
            more={data && <span class="dim">{since(data)}</span>}
        >
            {!data || data.nodes.length === 0 ? (
                <p class={data ? "fine" : "empty"}>
                    {data ? (
                        <>
                            <span aria-hidden="true">✓</span> No node has failed
                            or been drained.
                        </>
                    ) : (
                        error || "Loading…"
                    )}
                </p>
            ) : (
                <div class="scroll">
                    <table class="plain-table">
                        <thead>
                            <tr>
                                <th scope="col">Node</th>
                                <th scope="col" class="number">
                                    Failed
                                </th>
                                <th scope="col" class="number">
                                    Time between
                                </th>
                                <th scope="col" class="number">
                                    Away by failure
                                </th>
                                <th scope="col" class="number">
                                    Drained for
                                </th>
                                <th scope="col" class="number">
                                    Xid errors
                                </th>
                                <th scope="col" class="number">
                                    In service
                                </th>
                            </tr>
                        </thead>
                        <tbody>
                            {data.nodes.map((node) => (
                                <tr key={node.name}>
                                    <td>
                                        <a href={href(["nodes", node.name])}>
                                            {node.name}
                                        </a>
                                    </td>
                                    <td class="number">
                                        {times(node.failures)}
                                    </td>
                                    <td class="number">
                                        {duration(node.between_failures_s)}
                                    </td>
                                    <td class="number">
                                        {node.failed_s
                                            ? duration(node.failed_s)
                                            : "–"}
                                    </td>
                                    <td class="number">
                                        {node.drained_s
                                            ? duration(node.drained_s)
                                            : "–"}
                                    </td>
                                    <td class="number">{node.xids || "–"}</td>
                                    <td class="number">{inService(node)}</td>
                                </tr>
                            ))}
                        </tbody>
                    </table>
                </div>
            )}
        </Card>
    );
}
