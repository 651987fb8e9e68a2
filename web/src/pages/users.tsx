// SPDX-License-Identifier: GPL-2.0-or-later
import { useAnswer, useCollection, users } from "../live";
import { Meter, UserLink } from "../parts";
import { Table, type Column } from "../table";
import type { Usage, User } from "../types";
import { count, now_s } from "../words";

// With what he had of the GPUs in the last week.
interface Row extends User {
    past?: Usage;
}

// Of the hours that were measured, those in which nothing was done.
function wasted(past: Usage | undefined): number | undefined {
    return past && past.gpu_hours_measured > 0
        ? past.gpu_hours_measured - past.gpu_hours_used
        : undefined;
}

const DAY_S = 24 * 3600;

const columns: Column<Row>[] = [
    {
        key: "user",
        label: "User",
        show: (u) => <UserLink name={u.user} />,
        sort: (u) => u.user,
    },
    {
        key: "accounts",
        label: "Accounts",
        show: (u) => u.accounts.join(", ") || "–",
        sort: (u) => u.accounts.join() || undefined,
    },
    {
        key: "running",
        label: "Running",
        number: true,
        show: (u) => count(u.running),
        sort: (u) => u.running,
    },
    {
        key: "pending",
        label: "Pending",
        number: true,
        show: (u) => count(u.pending),
        sort: (u) => u.pending,
    },
    {
        key: "gpus",
        label: "GPUs allocated",
        number: true,
        show: (u) => count(u.gpus_allocated),
        sort: (u) => u.gpus_allocated,
    },
    {
        key: "used",
        label: "in use",
        show: (u) =>
            u.gpus_used === undefined ? (
                <span class="dim">–</span>
            ) : (
                <Meter
                    value={u.gpus_used}
                    most={u.gpus_allocated}
                    text={`${u.gpus_used}/${u.gpus_allocated}`}
                    label="of those allocated, the ones that do something"
                />
            ),
        sort: (u) => u.gpus_used,
    },
    {
        key: "idle",
        label: "held, idle",
        number: true,
        show: (u) =>
            u.gpus_held_idle ? (
                <span class="tag warn">{u.gpus_held_idle}</span>
            ) : (
                <span class="dim">{u.gpus_held_idle ?? "–"}</span>
            ),
        sort: (u) => u.gpus_held_idle,
    },
    {
        key: "cpus",
        label: "CPUs",
        number: true,
        show: (u) => count(u.cpus),
        sort: (u) => u.cpus,
    },
    {
        key: "hours",
        label: "GPU-hours, 7 days",
        number: true,
        show: (u) => (u.past?.gpu_hours ?? 0).toFixed(1),
        sort: (u) => u.past?.gpu_hours ?? 0,
    },
    {
        key: "wasted",
        label: "unused of them",
        number: true,
        show: (u) => {
            const hours = wasted(u.past);
            if (hours === undefined) return <span class="dim">–</span>;
            const part = (hours / u.past!.gpu_hours_measured) * 100;
            return (
                <span
                    class={part >= 50 && hours >= 1 ? "tag warn" : ""}
                    title={`of ${u.past!.gpu_hours_measured.toFixed(1)} GPU-hours of ended jobs that were measured`}
                >
                    {hours.toFixed(1)} ({Math.round(part)} %)
                </span>
            );
        },
        sort: (u) => wasted(u.past),
    },
];

export function Users() {
    const all = useCollection(users);
    const from_s = Math.floor((now_s() - 7 * DAY_S) / 3600) * 3600;
    const past = useAnswer<{ users: Usage[] }>(`usage?from_s=${from_s}`, []);
    const usages = new Map((past.data?.users ?? []).map((u) => [u.user, u]));
    const known = new Set(all.map((u) => u.user));
    const gone = [...usages.keys()]
        .filter((user) => !known.has(user))
        .map((user): User => ({
            user,
            accounts: [],
            running: 0,
            pending: 0,
            gpus_allocated: 0,
            cpus: 0,
        }));
    const rows = [...all, ...gone].map((u): Row => ({
        ...u,
        past: usages.get(u.user),
    }));
    return (
        <main class="page">
            <header class="head">
                <h1>Users</h1>
                <span class="dim">
                    Allocated is what Slurm gave them; in use is what was
                    measured of it.
                </span>
            </header>
            <Table
                caption="Users"
                columns={columns}
                rows={rows}
                id={(u) => u.user}
                initial="-idle"
                empty={
                    users.error.value ||
                    (users.loaded.value ? "Nobody has a job." : "Loading…")
                }
                mark={(u) => (u.gpus_held_idle ? "warned" : undefined)}
            />
        </main>
    );
}
