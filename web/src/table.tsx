// SPDX-License-Identifier: GPL-2.0-or-later
//
// A table of any length. Only the rows in view are in the document; the others
// are two empty rows of their height. While the pointer or the focus is in it,
// rows change their content and not their place: what the reader points at
// stays. New order is taken when he leaves.
//
// Columns take the width that their first rows ask for and keep it: nothing
// jumps while one scrolls, and the browser has no layout to work out anew.
import type { ComponentChildren } from "preact";
import {
    useEffect,
    useLayoutEffect,
    useMemo,
    useRef,
    useState,
} from "preact/hooks";
import { choose, route } from "./router";
import { byName } from "./words";

export interface Column<T> {
    key: string;
    label: string;
    show: (row: T) => ComponentChildren;
    // What it is ordered by; without it the column cannot be.
    sort?: (row: T) => string | number | undefined;
    number?: boolean;
    wide?: boolean;
    title?: (row: T) => string | undefined;
}

const ROW = 34;
const AROUND = 4;

function compare<T>(
    column: Column<T>,
    down: boolean,
    id: (row: T) => string | number,
): (a: T, b: T) => number {
    return (a, b) => {
        const x = column.sort!(a);
        const y = column.sort!(b);
        // What is not known comes last, whichever way.
        if (x === undefined || y === undefined)
            return x === y ? tie(id(a), id(b)) : x === undefined ? 1 : -1;
        const way = down ? -1 : 1;
        if (typeof x === "number" && typeof y === "number")
            return x === y ? tie(id(a), id(b)) : (x - y) * way;
        const order = byName(String(x), String(y));
        return order === 0 ? tie(id(a), id(b)) : order * way;
    };
}

function tie(a: string | number, b: string | number): number {
    return typeof a === "number" && typeof b === "number"
        ? a - b
        : byName(String(a), String(b));
}

// The rows in order, in that of before while HELD.
function useOrder<T>(
    rows: T[],
    sorted: T[],
    id: (row: T) => string | number,
    held: boolean,
    choice: string,
    sparse: boolean,
): T[] {
    const last = useRef<{ choice: string; ids: (string | number)[] }>({
        choice: "",
        ids: [],
    });
    return useMemo(() => {
        if (!held || last.current.choice !== choice) {
            // What is in view when the reader comes is what stays.
            last.current = { choice, ids: sparse ? [] : sorted.map(id) };
            return sorted;
        }
        const byId = new Map(rows.map((row) => [id(row), row]));
        const kept = last.current.ids.flatMap((one) => {
            const row = byId.get(one);
            byId.delete(one);
            return row === undefined ? [] : [row];
        });
        return [...kept, ...byId.values()];
    }, [rows, sorted, held, choice]);
}

// The widths of the columns as their content asks for them; null until they
// are measured, which is once for each KEY.
function useWidths(
    box: { current: HTMLDivElement | null },
    key: string,
    ready: boolean,
): number[] | null {
    const [state, setState] = useState<{
        key: string;
        widths: number[];
    } | null>(null);
    const known = state?.key === key;
    useLayoutEffect(() => {
        if (known || !ready || !box.current) return;
        const heads = box.current.querySelectorAll("th");
        setState({
            key,
            widths: [...heads].map((th) => th.getBoundingClientRect().width),
        });
    });
    return known ? state.widths : null;
}

function Head<T>(props: { columns: Column<T>[]; sort: string; down: boolean }) {
    return (
        <thead>
            <tr aria-rowindex={1}>
                {props.columns.map((column) => {
                    const active = column.key === props.sort;
                    return (
                        <th
                            key={column.key}
                            scope="col"
                            class={
                                (column.number ? "number " : "") +
                                (column.wide ? "wide" : "")
                            }
                            aria-sort={
                                active
                                    ? props.down
                                        ? "descending"
                                        : "ascending"
                                    : undefined
                            }
                        >
                            {column.sort ? (
                                <button
                                    type="button"
                                    onClick={() =>
                                        choose({
                                            sort:
                                                active && !props.down
                                                    ? `-${column.key}`
                                                    : column.key,
                                        })
                                    }
                                >
                                    {column.label}
                                    <span aria-hidden="true">
                                        {active
                                            ? props.down
                                                ? " ▾"
                                                : " ▴"
                                            : ""}
                                    </span>
                                </button>
                            ) : (
                                column.label
                            )}
                        </th>
                    );
                })}
            </tr>
        </thead>
    );
}

export function Table<T>(props: {
    caption: string;
    columns: Column<T>[];
    rows: T[];
    id: (row: T) => string | number;
    initial: string; // the order when the address names none: "name", "-gpus"
    empty: ComponentChildren;
    mark?: (row: T) => string | undefined; // a class for the row
    // The server orders: ROWS has holes, and is told which rows are in view.
    need?: (first: number, last: number) => void;
}) {
    const { columns, rows, id, need } = props;
    const wish = route.value.query.get("sort") ?? props.initial;
    const down = wish.startsWith("-");
    const sort = wish.replace(/^-/, "");
    const column = columns.find((c) => c.key === sort && c.sort);
    const sorted = useMemo(
        () =>
            column && !need ? [...rows].sort(compare(column, down, id)) : rows,
        [rows, wish],
    );
    const [held, setHeld] = useState(false);
    const order = useOrder(
        rows,
        sorted,
        id,
        held && !need,
        `${wish} ${props.caption}`,
        need !== undefined,
    );
    const box = useRef<HTMLDivElement>(null);
    const [view, setView] = useState({ top: 0, height: 800, width: 0 });

    const names = columns.map((c) => c.key).join();
    const widths = useWidths(
        box,
        `${names} ${view.width} ${order.length > 0}`,
        order.length > 0,
    );

    const look = () => {
        const el = box.current;
        if (el)
            setView({
                top: el.scrollTop,
                height: el.clientHeight,
                width: el.clientWidth,
            });
    };
    useLayoutEffect(look, []);
    useEffect(() => {
        const observer = new ResizeObserver(look);
        if (box.current) observer.observe(box.current);
        return () => observer.disconnect();
    }, []);
    useEffect(() => {
        box.current?.scrollTo(0, 0);
    }, [wish]);

    const first = Math.max(0, Math.floor(view.top / ROW) - AROUND);
    const last = Math.min(
        order.length,
        Math.ceil((view.top + view.height) / ROW) + AROUND,
    );
    useEffect(() => need?.(first, last), [first, last, need]);
    const inView = Array.from(
        { length: last - first },
        (_, i) => order[first + i],
    );
    // A row of the document serves one row of the table after the other.
    const room = Math.ceil(view.height / ROW) + 2 * AROUND + 2;
    return (
        <div
            class="table-box"
            ref={box}
            onScroll={look}
            onPointerEnter={() => setHeld(true)}
            onPointerLeave={() => setHeld(false)}
            onFocusIn={() => setHeld(true)}
            onFocusOut={() => setHeld(false)}
            tabIndex={0}
            role="region"
            aria-label={props.caption}
        >
            <table
                aria-rowcount={order.length + 1}
                class={widths ? "fixed" : ""}
            >
                <caption class="unseen">{props.caption}</caption>
                {widths && (
                    <colgroup>
                        {widths.map((width, i) => (
                            <col key={i} style={{ width: `${width}px` }} />
                        ))}
                    </colgroup>
                )}
                <Head columns={columns} sort={sort} down={down} />
                <tbody>
                    {first > 0 && <Gap rows={first} columns={columns.length} />}
                    {inView.map((row, i) => (
                        <tr
                            key={(first + i) % room}
                            aria-rowindex={first + i + 2}
                            class={row && props.mark?.(row)}
                        >
                            {columns.map((c) => (
                                <td
                                    key={c.key}
                                    class={
                                        (c.number ? "number " : "") +
                                        (c.wide ? "wide" : "")
                                    }
                                    title={row && c.title?.(row)}
                                >
                                    {row ? c.show(row) : "…"}
                                </td>
                            ))}
                        </tr>
                    ))}
                    {last < order.length && (
                        <Gap
                            rows={order.length - last}
                            columns={columns.length}
                        />
                    )}
                </tbody>
            </table>
            {order.length === 0 && <div class="empty">{props.empty}</div>}
        </div>
    );
}

function Gap(props: { rows: number; columns: number }) {
    return (
        <tr aria-hidden="true" class="gap">
            <td
                colSpan={props.columns}
                style={{ height: `${props.rows * ROW}px` }}
            ></td>
        </tr>
    );
}
