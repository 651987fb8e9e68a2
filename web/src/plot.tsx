// SPDX-License-Identifier: GPL-2.0-or-later
//
// A plot over time, with the same figures as a table behind it for who cannot
// see it. All plots of one page share their cursor.
import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useAnswer } from "./live";
import { choose, route } from "./router";
import { colour, colours } from "./theme";
import type { SeriesAnswer } from "./types";
import { moment, now_s } from "./words";

export interface Curve {
    id: string;
    metric: string;
    label: string;
}

const HEIGHT = 170;
const INKS = [
    "ink-1",
    "ink-2",
    "ink-3",
    "ink-4",
    "ink-5",
    "ink-6",
    "ink-7",
    "ink-8",
];

export const ranges: Record<string, number> = {
    "1h": 3600,
    "6h": 6 * 3600,
    "24h": 24 * 3600,
    "7d": 7 * 24 * 3600,
    "30d": 30 * 24 * 3600,
};

export function RangeChoice(props: { initial: string }) {
    const chosen = route.value.query.get("range") ?? props.initial;
    return (
        <div class="choice" role="group" aria-label="Time shown">
            {Object.keys(ranges).map((name) => (
                <button
                    key={name}
                    type="button"
                    aria-pressed={chosen === name}
                    onClick={() => choose({ range: name })}
                >
                    {name}
                </button>
            ))}
        </div>
    );
}

export function rangeSeconds(initial: string): number {
    const chosen = route.value.query.get("range") ?? initial;
    return ranges[chosen] ?? ranges[initial] ?? 3600;
}

interface Drawn {
    times: number[];
    values: (number | null)[][];
}

// All curves on the times of one of them: they are asked for together and have
// the same steps.
function align(answer: SeriesAnswer, curves: Curve[], scale: number): Drawn {
    const found = curves.map((curve) =>
        answer.series.find(
            (s) =>
                s.id === curve.id &&
                s.metric === curve.metric &&
                s.values.length,
        ),
    );
    const steps = new Set<number>();
    for (const s of found)
        s?.values.forEach((_, i) =>
            steps.add((s.from_s ?? 0) + i * (s.step_s ?? 1)),
        );
    const times = [...steps].sort((a, b) => a - b);
    const values = found.map((s) => {
        if (!s) return times.map(() => null);
        const at = new Map(
            s.values.map((v, i) => [(s.from_s ?? 0) + i * (s.step_s ?? 1), v]),
        );
        return times.map((t) => {
            const value = at.get(t) ?? null;
            return value === null
                ? null
                : Math.round((value / scale) * 100) / 100;
        });
    });
    return { times, values };
}

function options(
    width: number,
    curves: Curve[],
    top: number | undefined,
    from_s: number,
    to_s: number,
    few: boolean, // so few readings that a line would not be seen
): uPlot.Options {
    const when = (t: number, step: number) => {
        const at = new Date(t * 1000);
        return step >= 86400
            ? at.toLocaleDateString([], { day: "numeric", month: "short" })
            : at.toLocaleTimeString([], {
                  hour: "2-digit",
                  minute: "2-digit",
                  ...(step < 60 ? { second: "2-digit" } : {}),
              });
    };
    const axis = {
        stroke: colour("dim"),
        grid: { stroke: colour("line"), width: 1 },
        ticks: { show: false },
        font: "11px system-ui",
    };
    return {
        width,
        height: HEIGHT,
        cursor: {
            sync: { key: "page" },
            drag: { x: false, y: false },
            y: false,
        },
        legend: { show: curves.length > 1, live: true },
        scales: {
            x: { time: true, range: [from_s, to_s] },
            y: {
                range: (_, low, high) => [
                    Math.min(0, low ?? 0),
                    Math.max(top ?? 0, (high ?? 0) * 1.1, 1),
                ],
            },
        },
        axes: [
            {
                ...axis,
                space: 70,
                values: (_, splits, __, ___, step) =>
                    splits.map((t) => when(t, step)),
            },
            { ...axis, size: 46 },
        ],
        series: [
            { value: (_, t) => (t === null ? "–" : moment(t)) },
            ...curves.map((curve, i) => ({
                label: curve.label,
                stroke: colour(INKS[i % INKS.length]!),
                dash: i >= INKS.length ? [6, 4] : undefined,
                width: 1.6,
                points: { show: few, size: 5 },
                value: (_: uPlot, v: number | null) =>
                    v === null || v === undefined ? "–" : String(v),
                spanGaps: false,
            })),
        ],
    };
}

export function Plot(props: {
    title: string;
    unit: string;
    of: string;
    curves: Curve[];
    from_s?: number;
    to_s?: number;
    range?: string;
    top?: number;
    scale?: number; // what the store's numbers are divided by
}) {
    const { curves } = props;
    const span = rangeSeconds(props.range ?? "1h");
    const to_s = props.to_s ?? Math.floor(now_s() / 15) * 15;
    const from_s = props.from_s ?? to_s - span;
    const ids = [...new Set(curves.map((c) => c.id))].slice(0, 64).join();
    const metrics = [...new Set(curves.map((c) => c.metric))].join();
    const path =
        `series?of=${props.of}&id=${encodeURIComponent(ids)}&metric=${metrics}` +
        `&from_s=${Math.floor(from_s / 15) * 15}` +
        `&to_s=${props.to_s ? Math.ceil(props.to_s) + 15 : 0}&points=400`;
    const { data, error } = useAnswer<SeriesAnswer>(
        path.replace("&to_s=0", ""),
        props.to_s ? [] : ["nodes"],
    );
    const drawn = useMemo(
        () => (data ? align(data, curves, props.scale ?? 1) : null),
        [data, ids, metrics],
    );
    const known = drawn?.values.some((v) => v.some((x) => x !== null)) ?? false;
    const box = useRef<HTMLDivElement>(null);
    const paint = colours.value;
    useEffect(() => {
        const el = box.current;
        if (!el || !drawn || !known) return;
        const plot = new uPlot(
            options(
                el.clientWidth,
                curves,
                props.top,
                begin(drawn, from_s, to_s),
                props.to_s ?? now_s(),
                countKnown(drawn) < 3,
            ),
            [drawn.times, ...drawn.values] as uPlot.AlignedData,
            el,
        );
        const observer = new ResizeObserver(() =>
            plot.setSize({ width: el.clientWidth, height: HEIGHT }),
        );
        observer.observe(el);
        return () => {
            observer.disconnect();
            plot.destroy();
        };
    }, [drawn, known, paint]);
    return (
        <figure class="plot">
            <figcaption>
                {props.title} <span class="dim">{props.unit}</span>
            </figcaption>
            <div ref={box} class="canvas" aria-hidden="true"></div>
            {!known && (
                <p class="empty">
                    {error ||
                        (data
                            ? "Nothing was measured in this time."
                            : "Loading…")}
                </p>
            )}
            {data?.trouble && (
                <p class="note">This is not all there was: {data.trouble}.</p>
            )}
            {drawn && known && (
                <Figures drawn={drawn} curves={curves} title={props.title} />
            )}
        </figure>
    );
}

function countKnown(drawn: Drawn): number {
    return drawn.times.filter((_, i) => drawn.values.some((v) => v[i] !== null))
        .length;
}

// Where there is nothing in the first half, that half is not drawn: a cluster of
// an hour's age has no day to show.
function begin(drawn: Drawn, from_s: number, to_s: number): number {
    const first = drawn.times.find((_, i) =>
        drawn.values.some((v) => v[i] !== null),
    );
    return first !== undefined && first > from_s + (to_s - from_s) / 2
        ? first - 15
        : from_s;
}

const FIGURES_MAX = 60;

function Figures(props: { drawn: Drawn; curves: Curve[]; title: string }) {
    const { times, values } = props.drawn;
    const every = Math.max(1, Math.ceil(times.length / FIGURES_MAX));
    const rows = times
        .map((_, i) => i)
        .filter((i) => i % every === 0 && values.some((v) => v[i] !== null));
    return (
        <details class="figures">
            <summary>Figures of “{props.title}”</summary>
            <table>
                <thead>
                    <tr>
                        <th scope="col">Time</th>
                        {props.curves.map((c) => (
                            <th key={c.label} scope="col" class="number">
                                {c.label}
                            </th>
                        ))}
                    </tr>
                </thead>
                <tbody>
                    {rows.reverse().map((i) => (
                        <tr key={times[i]}>
                            <td>{moment(times[i])}</td>
                            {values.map((v, at) => (
                                <td key={at} class="number">
                                    {v[i] ?? "–"}
                                </td>
                            ))}
                        </tr>
                    ))}
                </tbody>
            </table>
        </details>
    );
}
