// SPDX-License-Identifier: GPL-2.0-or-later
//
// Doing something: who the reader is and what he may, and a button that asks
// before it acts, says what it does, and shows what came of it. What may not be
// done is not offered; the server decides all the same.
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, get } from "./live";
import { Card } from "./parts";
import { href } from "./router";
import type { Job, Node } from "./types";

interface Me {
    user: string;
    role: "none" | "viewer" | "operator" | "admin";
    actions: boolean;
}

export const me = signal<Me | null>(null);

export function loadMe(): void {
    get<Me>("me").then(
        (answer) => (me.value = answer),
        () => setTimeout(loadMe, 5000),
    );
}

export function mayAct(owner?: string): boolean {
    const who = me.value;
    if (!who?.actions) return false;
    return (
        who.role === "admin" ||
        (who.role === "operator" && (!owner || owner === who.user))
    );
}

interface Deed {
    id: number;
    state: "running" | "done" | "refused";
    text?: string;
    job?: string;
    script?: string;
}

const POLL_MS = 250;

// Begin REQUEST, and wait for how it ends.
export async function act(request: object): Promise<Deed> {
    const answer = await fetch("/api/v1/actions", {
        method: "POST",
        headers: {
            "Content-Type": "application/json",
            "X-Requested-By": "gpu-watchdog",
        },
        body: JSON.stringify(request),
    }).catch(() => {
        throw new ApiError("gpu-watchdog does not answer.", 0);
    });
    const begun = (await answer.json().catch(() => ({}))) as Deed & {
        error?: string;
    };
    if (!answer.ok)
        throw new ApiError(
            begun.error ?? `The server answered ${answer.status}.`,
            answer.status,
        );
    let deed: Deed = begun;
    while (deed.state === "running") {
        await new Promise((wake) => setTimeout(wake, POLL_MS));
        deed = await get<Deed>(`actions/${begun.id}`);
    }
    return deed;
}

// What came of it, in words; kept until the next try.
export function Outcome(props: { deed: Deed | string | null; done: string }) {
    const { deed } = props;
    if (!deed) return null;
    if (typeof deed === "string")
        return (
            <p class="outcome bad" role="alert">
                ✕ {deed}
            </p>
        );
    if (deed.state === "running") return <p role="status">Slurm is asked…</p>;
    if (deed.state === "refused")
        return (
            <p class="outcome bad" role="alert">
                ✕ Slurm refused: {deed.text}
            </p>
        );
    return (
        <p class="outcome good" role="status">
            ✓ {props.done}
            {deed.text ? ` ${deed.text}` : ""}
            {deed.job && (
                <>
                    {" "}
                    <a href={href(["jobs", deed.job])}>Job {deed.job}</a>
                </>
            )}
        </p>
    );
}

export function useDeed(): [
    Deed | string | null,
    (request: object) => Promise<void>,
] {
    const [deed, setDeed] = useState<Deed | string | null>(null);
    const run = async (request: object) => {
        setDeed({ id: 0, state: "running" });
        try {
            setDeed(await act(request));
        } catch (error) {
            setDeed(error instanceof Error ? error.message : String(error));
        }
    };
    return [deed, run];
}

interface Question {
    label: string;
    question: string;
    done: string;
    request: object;
    reason?: boolean; // has to be given with it
    danger?: boolean;
}

// What is being asked; null: nothing. Apart from the button that opened it,
// which goes away when what it offers is done.
const asked = signal<Question | null>(null);

function ActionButton(props: Question) {
    return (
        <button
            type="button"
            class={`button ${props.danger ? "danger" : ""}`}
            onClick={() => (asked.value = props)}
        >
            {props.label}
        </button>
    );
}

function OpenDialog(props: Question) {
    const dialog = useRef<HTMLDialogElement>(null);
    const [deed, run] = useDeed();
    const [reason, setReason] = useState("");
    const busy = typeof deed === "object" && deed?.state === "running";
    const over = typeof deed === "object" && deed?.state === "done";
    useEffect(() => dialog.current?.showModal(), []);
    return (
        <dialog
            ref={dialog}
            aria-label={props.label}
            onClose={() => (asked.value = null)}
        >
            <form
                onSubmit={(event) => {
                    event.preventDefault();
                    void run(
                        props.reason
                            ? { ...props.request, reason }
                            : props.request,
                    );
                }}
            >
                <h2>{props.label}</h2>
                <p>{props.question}</p>
                {props.reason && !over && (
                    <label class="field">
                        <span>Reason, for everybody who wonders</span>
                        <input
                            required
                            maxLength={200}
                            value={reason}
                            onInput={(e) => setReason(e.currentTarget.value)}
                        />
                    </label>
                )}
                <Outcome deed={deed} done={props.done} />
                <div class="buttons">
                    <button
                        type="button"
                        class="button"
                        onClick={() => dialog.current?.close()}
                    >
                        {over ? "Close" : "Back"}
                    </button>
                    {!over && (
                        <button
                            type="submit"
                            class={`button ${props.danger ? "danger" : "main"}`}
                            disabled={busy}
                        >
                            {props.label}
                        </button>
                    )}
                </div>
            </form>
        </dialog>
    );
}

export function ActionDialog() {
    const question = asked.value;
    return question && <OpenDialog {...question} />;
}

export function JobActions(props: { job: Job }) {
    const { job } = props;
    if (!mayAct(job.user)) return null;
    const jobs = [job.job];
    const name = `job ${job.job} of ${job.user}${job.name ? `, “${job.name}”` : ""}`;
    const pending = job.state === "pending";
    const held = pending && /Held/.test(job.reason ?? "");
    const running = /running|suspended|configuring/.test(job.state);
    if (!pending && !running) return null;
    return (
        <span class="actions">
            {pending && !held && (
                <ActionButton
                    label="Hold"
                    question={`Keep ${name}, from starting until it is released?`}
                    done="It is held."
                    request={{ action: "hold", jobs }}
                />
            )}
            {held && (
                <ActionButton
                    label="Release"
                    question={`Let ${name}, start when its turn comes?`}
                    done="It is released."
                    request={{ action: "release", jobs }}
                />
            )}
            {running && (
                <ActionButton
                    label="Requeue"
                    question={`Stop ${name}, and queue it again? What it has not saved is lost.`}
                    done="It is queued again."
                    request={{ action: "requeue", jobs }}
                    danger
                />
            )}
            <ActionButton
                label="Cancel job"
                question={`End ${name}, for good?`}
                done="It is cancelled."
                request={{ action: "cancel", jobs }}
                danger
            />
        </span>
    );
}

// What was submitted. Asked for only when somebody wants to see it: Slurm reads it
// from a file each time.
export function JobScript(props: { job: Job }) {
    const [deed, run] = useDeed();
    if (!mayAct(props.job.user)) return null;
    const script = typeof deed === "object" && deed?.script;
    return (
        <Card title="Script" class="wide">
            {script ? (
                <pre tabIndex={0}>{script}</pre>
            ) : (
                <>
                    <Outcome deed={deed} done="It has none." />
                    <button
                        type="button"
                        class="button"
                        onClick={() =>
                            void run({
                                action: "script",
                                jobs: [props.job.job],
                            })
                        }
                    >
                        Show what was submitted
                    </button>
                </>
            )}
        </Card>
    );
}

export function NodeActions(props: { node: Node }) {
    const { node } = props;
    if (!mayAct()) return null;
    const drained =
        /drain|down|fail/.test(node.state) || node.flags.includes("drain");
    return (
        <span class="actions">
            {drained ? (
                <ActionButton
                    label="Resume"
                    question={`Give ${node.name} jobs again?`}
                    done="It takes jobs again."
                    request={{ action: "resume", nodes: [node.name] }}
                />
            ) : (
                <ActionButton
                    label="Drain"
                    question={`Give ${node.name} no new jobs? Those that run go on.`}
                    done="It gets no new jobs."
                    request={{ action: "drain", nodes: [node.name] }}
                    reason
                    danger
                />
            )}
        </span>
    );
}
