// SPDX-License-Identifier: GPL-2.0-or-later
import { FailedMost } from "../health";
import { useAnswer } from "../live";
import { Card, EventList, Search, Select } from "../parts";
import { route } from "../router";
import type { Event } from "../types";

export function Events() {
    const query = route.value.query;
    const wish = new URLSearchParams({ limit: "500" });
    if (query.get("kind")) wish.set("kind", query.get("kind")!);
    if (query.get("node")) wish.set("node", query.get("node")!);
    const { data, error } = useAnswer<{ events: Event[] }>(`events?${wish}`, [
        "events",
    ]);
    return (
        <main class="page">
            <header class="head">
                <h1>Events</h1>
                <div class="fields">
                    <Select
                        name="kind"
                        label="About"
                        initial=""
                        options={[
                            ["", "everything"],
                            ["node", "nodes"],
                            ["gpu", "GPUs"],
                            ["xid", "Xid errors"],
                            ["job", "jobs"],
                            ["action", "what people did"],
                            ["daemon", "gpu-watchdog"],
                        ]}
                    />
                    <Search name="node" label="Node" hint="its whole name" />
                </div>
            </header>
            {["", "node"].includes(query.get("kind") ?? "") &&
                !query.get("node") && <FailedMost />}
            <Card title="Newest first" class="wide">
                <EventList events={data?.events} error={data ? "" : error} />
            </Card>
        </main>
    );
}
