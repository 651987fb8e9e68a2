// SPDX-License-Identifier: GPL-2.0-or-later
//
// Small pieces that several pages are made of.
import type { ComponentChildren } from "preact";
import { choose, href, route } from "./router";
import type { Advice, Event, Gpu, Problem } from "./types";
import { duration, jobTone, moment, nodeTone, now_s, type Tone } from "./words";

export function Badge(props: {
    tone: Tone;
    sign: string;
    children: ComponentChildren;
}) {
    return (
        <span class={`badge ${props.tone}`}>
            <span aria-hidden="true">{props.sign}</span> {props.children}
        </span>
    );
}

export function NodeState(props: { state: string; flags: string[] }) {
    const [sign, tone] = nodeTone(props.state, props.flags);
    return (
        <Badge tone={tone} sign={sign}>
            {props.state}
        </Badge>
    );
}

export function JobState(props: { state: string }) {
    const [sign, tone] = jobTone(props.state);
    return (
        <Badge tone={tone} sign={sign}>
            {props.state}
        </Badge>
    );
}

export function NodeLink(props: { name: string }) {
    return <a href={href(["nodes", props.name])}>{props.name}</a>;
}

export function JobLink(props: {
    id: number | string;
    children: ComponentChildren;
}) {
    return <a href={href(["jobs", props.id])}>{props.children}</a>;
}

export function UserLink(props: { name: string }) {
    return <a href={href(["jobs"], { user: props.name })}>{props.name}</a>;
}

// How much of something is taken: a bar, and the figures beside it.
export function Meter(props: {
    value: number | undefined;
    most: number | undefined;
    text: string;
    label: string;
}) {
    const ratio =
        props.value !== undefined && props.most ? props.value / props.most : 0;
    return (
        <span class="meter" title={props.label}>
            <span class="bar" aria-hidden="true">
                <span
                    style={{
                        width: `${Math.min(100, Math.max(0, ratio * 100))}%`,
                    }}
                ></span>
            </span>
            <span>{props.text}</span>
        </span>
    );
}

export function Card(props: {
    title: string;
    more?: ComponentChildren;
    class?: string;
    children: ComponentChildren;
}) {
    return (
        <section class={`card ${props.class ?? ""}`}>
            <header>
                <h2>{props.title}</h2>
                {props.more}
            </header>
            {props.children}
        </section>
    );
}

export function Facts(props: { facts: [string, ComponentChildren][] }) {
    return (
        <dl class="facts">
            {props.facts
                .filter(([, value]) => value !== undefined && value !== "")
                .map(([name, value]) => (
                    <div key={name}>
                        <dt>{name}</dt>
                        <dd>{value}</dd>
                    </div>
                ))}
        </dl>
    );
}

export function Problems(props: { problems: Problem[] }) {
    if (props.problems.length === 0)
        return (
            <p class="fine">
                <span aria-hidden="true">✓</span> Nothing is wrong that we can
                see.
            </p>
        );
    return (
        <ul class="problems">
            {props.problems.map((p) => (
                <li key={p.text} class={p.severity}>
                    <span aria-hidden="true">
                        {p.severity === "critical" ? "✕" : "▲"}
                    </span>
                    <span>
                        <span class="unseen">{p.severity}: </span>
                        {p.node ? (
                            <a href={href(["nodes", p.node])}>{p.text}</a>
                        ) : (
                            p.text
                        )}
                        {p.since_s && (
                            <span class="dim">
                                {" "}
                                for {duration(now_s() - p.since_s)}
                            </span>
                        )}
                    </span>
                </li>
            ))}
        </ul>
    );
}

export function AdviceList(props: { advice: Advice[] | undefined }) {
    if (!props.advice || props.advice.length === 0) return null;
    return (
        <ul class="advice">
            {props.advice.map((a) => (
                <li key={a.text} class={a.severity}>
                    {a.text}
                </li>
            ))}
        </ul>
    );
}

const eventSigns: Record<string, string> = {
    critical: "✕",
    warning: "▲",
    info: "·",
};

export function EventList(props: {
    events: Event[] | undefined;
    error?: string;
}) {
    if (props.error) return <p class="empty">{props.error}</p>;
    if (!props.events) return <p class="empty">Loading…</p>;
    if (props.events.length === 0)
        return <p class="empty">Nothing has happened here that was seen.</p>;
    return (
        <ol class="events">
            {props.events.map((e) => (
                <li key={e.id} class={e.severity}>
                    <time dateTime={new Date(e.time_s * 1000).toISOString()}>
                        {moment(e.time_s)}
                    </time>
                    <span class="sign" aria-label={e.severity}>
                        {eventSigns[e.severity] ?? "·"}
                    </span>
                    <span>
                        {e.job ? (
                            <a href={href(["jobs", e.job])}>{e.text}</a>
                        ) : e.node ? (
                            <a href={href(["nodes", e.node])}>{e.text}</a>
                        ) : (
                            e.text
                        )}
                    </span>
                </li>
            ))}
        </ol>
    );
}

export function gpuName(gpu: Gpu): string {
    const instance = gpu.instance === undefined ? "" : `.${gpu.instance}`;
    return `GPU ${gpu.index}${instance}`;
}

// A field that chooses: written into the address as it is typed.
export function Search(props: { name: string; label: string; hint?: string }) {
    return (
        <label class="field">
            <span>{props.label}</span>
            <input
                type="search"
                placeholder={props.hint}
                value={route.value.query.get(props.name) ?? ""}
                onInput={(e) => choose({ [props.name]: e.currentTarget.value })}
            />
        </label>
    );
}

export function Select(props: {
    name: string;
    label: string;
    initial: string;
    options: [string, string][];
}) {
    const chosen = route.value.query.get(props.name) ?? props.initial;
    return (
        <label class="field">
            <span>{props.label}</span>
            <select
                value={chosen}
                onChange={(e) =>
                    choose({
                        [props.name]:
                            e.currentTarget.value === props.initial
                                ? undefined
                                : e.currentTarget.value,
                    })
                }
            >
                {props.options.map(([value, text]) => (
                    <option
                        key={value}
                        value={value}
                        selected={value === chosen}
                    >
                        {text}
                    </option>
                ))}
            </select>
        </label>
    );
}
