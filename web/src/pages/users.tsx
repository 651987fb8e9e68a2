// SPDX-License-Identifier: GPL-2.0-or-later
import { useAnswer, useCollection, users } from "../live";
import { Meter, UserLink } from "../parts";
import { Table, type Column } from "../table";
import type { Job, User } from "../types";
import { count, now_s } from "../words";

// GPU-hours of jobs that ended in the last week, from our history.
interface Row extends User {
    hours: number;
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
        label: "GPU-hours of ended jobs, 7 days",
        number: true,
        show: (u) => u.hours.toFixed(1),
        sort: (u) => u.hours,
    },
];

function hoursByUser(finished: Job[]): Map<string, number> {
    const hours = new Map<string, number>();
    for (const job of finished) {
        const ran = (job.end_s ?? 0) - (job.start_s ?? 0);
        if (job.gpus && ran > 0)
            hours.set(
                job.user,
                (hours.get(job.user) ?? 0) + (ran / 3600) * job.gpus,
            );
    }
    return hours;
}

export function Users() {
    const all = useCollection(users);
    const from_s = Math.floor((now_s() - 7 * DAY_S) / 3600) * 3600;
    const past = useAnswer<{ jobs: Job[] }>(
        `history?from_s=${from_s}&limit=5000`,
        ["jobs"],
    );
    const hours = hoursByUser(past.data?.jobs ?? []);
    const known = new Set(all.map((u) => u.user));
    const gone = [...hours.keys()]
        .filter((user) => !known.has(user))
        .map((user): User => ({
            user,
            accounts: [],
            running: 0,
            pending: 0,
            gpus_allocated: 0,
            cpus: 0,
        }));
    const rows = [...all, ...gone].map((u) => ({
        ...u,
        hours: hours.get(u.user) ?? 0,
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
