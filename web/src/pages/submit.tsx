// SPDX-License-Identifier: GPL-2.0-or-later
//
// A form and a script: what sbatch would be given, run as the reader's user.
import { useState } from "preact/hooks";
import { mayAct, me, Outcome, useDeed } from "../actions";
import { partitions, useCollection } from "../live";
import { Card } from "../parts";

const example = "#!/bin/bash\n\nnvidia-smi\nhostname\n";

const fields: [string, string, string][] = [
    ["name", "Name", "train"],
    ["gpus_per_node", "GPUs on each node", "1 or h100:2"],
    ["nodes", "Nodes", "1"],
    ["tasks", "Tasks", "1"],
    ["cpus_per_task", "CPUs for each task", "1"],
    ["memory", "Memory on each node", "16G"],
    ["time", "Time limit", "1:00:00"],
    ["account", "Account", "the usual one"],
    ["qos", "QOS", "the usual one"],
];

export function Submit() {
    const known = useCollection(partitions);
    const [values, setValues] = useState<Record<string, string>>({});
    const [script, setScript] = useState(example);
    const [deed, run] = useDeed();
    const set = (key: string, value: string) =>
        setValues((before) => ({ ...before, [key]: value }));
    if (!mayAct())
        return (
            <main class="page">
                <h1>Submit a job</h1>
                <p class="empty">
                    {me.value?.actions
                        ? "You may look, and not submit. “gpu-watchdog token web --user NAME” on the head prints a link for who may."
                        : "Nothing can be submitted from here: the dashboard runs without --allow-actions."}
                </p>
            </main>
        );
    const given = Object.fromEntries(
        Object.entries(values).filter(([, value]) => value.trim()),
    );
    const busy = typeof deed === "object" && deed?.state === "running";
    return (
        <main class="page">
            <header class="head">
                <h1>Submit a job</h1>
                <span class="dim">as {me.value?.user}</span>
            </header>
            <form
                class="submit"
                onSubmit={(event) => {
                    event.preventDefault();
                    void run({ action: "submit", script, ...given });
                }}
            >
                <Card title="What it needs">
                    <div class="fields">
                        <label class="field">
                            <span>Partition</span>
                            <select
                                onChange={(e) =>
                                    set("partition", e.currentTarget.value)
                                }
                            >
                                <option value="">the usual one</option>
                                {known.map((p) => (
                                    <option key={p.name} value={p.name}>
                                        {p.name}
                                    </option>
                                ))}
                            </select>
                        </label>
                        {fields.map(([key, label, hint]) => (
                            <label class="field" key={key}>
                                <span>{label}</span>
                                <input
                                    name={key}
                                    placeholder={hint}
                                    maxLength={200}
                                    value={values[key] ?? ""}
                                    onInput={(e) =>
                                        set(key, e.currentTarget.value)
                                    }
                                />
                            </label>
                        ))}
                    </div>
                    <p class="dim">
                        What is left empty is as the script's #SBATCH lines say,
                        or as is usual here.
                    </p>
                </Card>
                <Card title="Script">
                    <textarea
                        name="script"
                        aria-label="Script"
                        required
                        spellcheck={false}
                        rows={14}
                        value={script}
                        onInput={(e) => setScript(e.currentTarget.value)}
                    ></textarea>
                    <p class="dim">
                        It runs in your home directory, and leaves its output
                        there in slurm-NUMBER.out.
                    </p>
                    <Outcome deed={deed} done="It is submitted." />
                    <button type="submit" class="button main" disabled={busy}>
                        Submit
                    </button>
                </Card>
            </form>
        </main>
    );
}
