// SPDX-License-Identifier: GPL-2.0-or-later
//
// Cells in groups on a canvas. Where each stands is worked out once for a set
// of groups; drawing touches only those in view, so that 80,000 cost what a
// screenful does. A cell's use has a shape besides its colour: free is hollow,
// idle is struck through, trouble is a cross.
//
// The canvas is one stop for the keyboard: arrows move, Enter opens, and what
// is under the mark is said aloud.
import {
    useEffect,
    useLayoutEffect,
    useMemo,
    useRef,
    useState,
} from "preact/hooks";
import { colour, colours } from "./theme";

export interface Cell {
    id: string;
    ratio: number | undefined;
    use: string;
    text: () => string;
    href: string;
}

export interface Group {
    name: string;
    cells: Cell[];
}

interface Block {
    group: Group;
    x: number;
    y: number;
    perRow: number;
    first: number; // its first cell among all
}

interface Layout {
    blocks: Block[];
    height: number;
    size: number; // of a cell, its gap included
    cells: number;
}

const TITLE = 20;
const EDGE = 12;
const GAP = 14;
const STEPS = 6;

function cellSize(cells: number): number {
    if (cells <= 128) return 34;
    if (cells <= 2000) return 22;
    return 14;
}

// Small groups side by side, like words; large ones take whole lines.
function layOut(groups: Group[], width: number): Layout {
    const cells = groups.reduce((sum, g) => sum + g.cells.length, 0);
    const size = cellSize(cells);
    const right = width - EDGE;
    const most = Math.max(1, Math.floor((right - EDGE) / size));
    const blocks: Block[] = [];
    let x = EDGE;
    let y = EDGE / 2;
    let line = 0;
    let first = 0;
    for (const group of groups) {
        const perRow = Math.min(
            group.cells.length <= 16 ? 8 : most,
            group.cells.length,
            most,
        );
        const wide = Math.max(perRow * size, 72);
        const high = TITLE + Math.ceil(group.cells.length / perRow) * size;
        if (x > EDGE && x + wide > right) {
            x = EDGE;
            y += line + GAP;
            line = 0;
        }
        blocks.push({ group, x, y, perRow, first });
        first += group.cells.length;
        x += wide + GAP;
        line = Math.max(line, high);
    }
    return { blocks, height: y + line + EDGE, size, cells };
}

function place(layout: Layout, block: Block, i: number): [number, number] {
    return [
        block.x + (i % block.perRow) * layout.size,
        block.y + TITLE + Math.floor(i / block.perRow) * layout.size,
    ];
}

// Blocks are in the order of their y: those before this one are above TOP.
function firstIn(layout: Layout, top: number): number {
    let low = 0;
    let high = layout.blocks.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        const next = layout.blocks[middle + 1];
        if (next && next.y < top) low = middle + 1;
        else high = middle;
    }
    // Others of the same line may be higher.
    const y = layout.blocks[low]?.y ?? 0;
    while (low > 0 && layout.blocks[low - 1]!.y === y) low--;
    return low;
}

interface Inks {
    steps: string[];
    free: string;
    idle: string;
    bad: string;
    foreign: string;
    unknown: string;
    text: string;
    dim: string;
    mark: string;
}

function inks(): Inks {
    return {
        steps: Array.from({ length: STEPS }, (_, i) => colour(`heat-${i}`)),
        free: colour("free"),
        idle: colour("idle"),
        bad: colour("bad"),
        foreign: colour("foreign"),
        unknown: colour("line"),
        text: colour("text"),
        dim: colour("dim"),
        mark: colour("text"),
    };
}

function drawCell(
    c: CanvasRenderingContext2D,
    cell: Cell,
    x: number,
    y: number,
    size: number,
    ink: Inks,
): void {
    const s = size - (size > 20 ? 4 : 2);
    const line = Math.max(1, size / 14);
    if (cell.use === "free") {
        c.strokeStyle = ink.free;
        c.lineWidth = line;
        c.strokeRect(x + line / 2, y + line / 2, s - line, s - line);
        return;
    }
    if (cell.use === "trouble") {
        c.fillStyle = ink.bad;
        c.fillRect(x, y, s, s);
        c.strokeStyle = "#fff";
        c.lineWidth = line * 1.4;
        c.beginPath();
        c.moveTo(x + s * 0.28, y + s * 0.28);
        c.lineTo(x + s * 0.72, y + s * 0.72);
        c.moveTo(x + s * 0.72, y + s * 0.28);
        c.lineTo(x + s * 0.28, y + s * 0.72);
        c.stroke();
        return;
    }
    c.fillStyle =
        cell.use === "away" || cell.ratio === undefined
            ? ink.unknown
            : ink.steps[
                  Math.min(
                      STEPS - 1,
                      Math.max(0, Math.floor(cell.ratio * STEPS)),
                  )
              ]!;
    c.fillRect(x, y, s, s);
    if (cell.use === "idle" || cell.use === "foreign") {
        c.strokeStyle = cell.use === "idle" ? ink.idle : ink.foreign;
        c.lineWidth = line * 1.6;
        c.strokeRect(x + line, y + line, s - 2 * line, s - 2 * line);
        c.beginPath();
        c.moveTo(x + line, y + s - line);
        c.lineTo(x + s - line, y + line);
        c.stroke();
    }
}

function draw(
    canvas: HTMLCanvasElement,
    layout: Layout,
    top: number,
    height: number,
    mark: number,
): void {
    const scale = devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const pixels = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== pixels[0] || canvas.height !== pixels[1])
        [canvas.width, canvas.height] = pixels as [number, number];
    const c = canvas.getContext("2d")!;
    const ink = inks();
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.clearRect(0, 0, width, height);
    c.textBaseline = "middle";
    c.font = "12px system-ui";
    for (let b = firstIn(layout, top); b < layout.blocks.length; b++) {
        const block = layout.blocks[b]!;
        if (block.y > top + height) break;
        const room = Math.max(block.perRow * layout.size, 72);
        c.fillStyle = ink.dim;
        c.save();
        c.beginPath();
        c.rect(block.x, block.y - top, room, TITLE);
        c.clip();
        c.fillText(block.group.name, block.x, block.y - top + TITLE / 2 - 1);
        c.restore();
        const from = Math.max(
            0,
            Math.floor((top - block.y - TITLE) / layout.size) * block.perRow,
        );
        for (let i = from; i < block.group.cells.length; i++) {
            const [x, y] = place(layout, block, i);
            if (y > top + height) break;
            drawCell(c, block.group.cells[i]!, x, y - top, layout.size, ink);
            if (block.first + i === mark) {
                c.strokeStyle = ink.mark;
                c.lineWidth = 2;
                c.strokeRect(
                    x - 1,
                    y - top - 1,
                    layout.size - 1,
                    layout.size - 1,
                );
            }
        }
    }
}

function blockOf(layout: Layout, cell: number): Block | undefined {
    let low = 0;
    let high = layout.blocks.length - 1;
    while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (layout.blocks[middle]!.first <= cell) low = middle;
        else high = middle - 1;
    }
    return layout.blocks[low];
}

// Which cell is at a point; -1 for none.
function cellAt(layout: Layout, x: number, y: number): number {
    for (let b = firstIn(layout, y); b < layout.blocks.length; b++) {
        const block = layout.blocks[b]!;
        if (block.y > y) break;
        const column = Math.floor((x - block.x) / layout.size);
        const row = Math.floor((y - block.y - TITLE) / layout.size);
        const i = row * block.perRow + column;
        if (
            column >= 0 &&
            column < block.perRow &&
            row >= 0 &&
            i < block.group.cells.length
        )
            return block.first + i;
    }
    return -1;
}

export function Heat(props: {
    groups: Group[];
    ends: [string, string];
    label: string;
}) {
    const box = useRef<HTMLDivElement>(null);
    const canvas = useRef<HTMLCanvasElement>(null);
    const [size, setSize] = useState({ width: 0, height: 0 });
    const [top, setTop] = useState(0);
    const [mark, setMark] = useState(-1);
    const layout = useMemo(
        () => layOut(props.groups, Math.max(200, size.width)),
        [props.groups, size.width],
    );
    const paint = colours.value;

    useLayoutEffect(() => {
        const el = box.current!;
        const measure = () =>
            setSize({ width: el.clientWidth - 2, height: el.clientHeight });
        measure();
        const observer = new ResizeObserver(measure);
        observer.observe(el);
        return () => observer.disconnect();
    }, []);
    useEffect(() => {
        const frame = requestAnimationFrame(() => {
            if (canvas.current && size.width)
                draw(canvas.current, layout, top, size.height, mark);
        });
        return () => cancelAnimationFrame(frame);
    }, [layout, top, size, mark, paint]);

    const block = mark >= 0 ? blockOf(layout, mark) : undefined;
    const cell = block?.group.cells[mark - block.first];
    const move = (to: number) => {
        const next = Math.min(layout.cells - 1, Math.max(0, to));
        const target = blockOf(layout, next);
        setMark(next);
        if (!target || !box.current) return;
        const [, y] = place(layout, target, next - target.first);
        if (y < top || y + layout.size > top + size.height)
            box.current.scrollTop = y - size.height / 2;
    };
    const onKeyDown = (e: KeyboardEvent) => {
        const row = block?.perRow ?? 1;
        const steps: Record<string, number> = {
            ArrowRight: 1,
            ArrowLeft: -1,
            ArrowDown: row,
            ArrowUp: -row,
        };
        if (e.key in steps) {
            e.preventDefault();
            move(mark + steps[e.key]!);
        } else if (e.key === "Enter" && cell) {
            location.hash = cell.href;
        } else if (e.key === "Escape") {
            setMark(-1);
        }
    };
    const onPointerMove = (e: PointerEvent) => {
        const rect = canvas.current!.getBoundingClientRect();
        setMark(
            cellAt(layout, e.clientX - rect.left, e.clientY - rect.top + top),
        );
    };
    const at =
        block && cell ? place(layout, block, mark - block.first) : [0, 0];
    return (
        <div class="heat">
            <Legend label={props.label} ends={props.ends} />
            <div
                class="heat-box"
                ref={box}
                style={{ height: `${layout.height + 2}px` }}
                onScroll={(e) => setTop(e.currentTarget.scrollTop)}
                onPointerMove={onPointerMove}
                onPointerLeave={() => setMark(-1)}
                onClick={() => cell && (location.hash = cell.href)}
                onKeyDown={onKeyDown}
                tabIndex={0}
                role="application"
                aria-label={`${layout.cells} GPUs as cells; arrow keys move, Enter opens the node. The button “Table” shows them as a table.`}
            >
                <canvas
                    ref={canvas}
                    style={{ height: `${size.height}px` }}
                ></canvas>
                <div
                    class="heat-space"
                    style={{
                        height: `${Math.max(0, layout.height - size.height)}px`,
                    }}
                ></div>
                {cell && (
                    <div
                        class="tip"
                        style={{
                            left: `${Math.min(at[0]! + layout.size, size.width - 270)}px`,
                            top: `${at[1]! + layout.size + 6}px`,
                        }}
                    >
                        {cell.text()}
                    </div>
                )}
            </div>
            <p class="unseen" aria-live="polite">
                {cell?.text()}
            </p>
        </div>
    );
}

function Legend(props: { label: string; ends: [string, string] }) {
    return (
        <ul class="legend heat-legend">
            <li>
                {props.label}: {props.ends[0]}
                <span class="scale" aria-hidden="true">
                    {Array.from({ length: STEPS }, (_, i) => (
                        <span key={i} class={`heat-${i}`}></span>
                    ))}
                </span>
                {props.ends[1]}
            </li>
            <li>
                <span class="swatch free" aria-hidden="true"></span> free
            </li>
            <li>
                <span class="swatch idle" aria-hidden="true"></span> held, idle
            </li>
            <li>
                <span class="swatch foreign" aria-hidden="true"></span> used by
                another
            </li>
            <li>
                <span class="swatch trouble" aria-hidden="true"></span> in
                trouble
            </li>
            <li>
                <span class="swatch unknown" aria-hidden="true"></span> not
                known, or not given out
            </li>
        </ul>
    );
}
