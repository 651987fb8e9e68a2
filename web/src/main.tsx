// SPDX-License-Identifier: GPL-2.0-or-later
//
// The frame: where one can go, how fresh what is shown is, and the page itself.
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ActionDialog, loadMe, mayAct, me } from "./actions";
import { heard_s, paused, startLive, trouble, useAnswer } from "./live";
import { Events } from "./pages/events";
import { Gpus } from "./pages/gpus";
import { JobPage } from "./pages/job";
import { Jobs } from "./pages/jobs";
import { NodePage } from "./pages/node";
import { Nodes } from "./pages/nodes";
import { Overview } from "./pages/overview";
import { Partitions } from "./pages/partitions";
import { Submit } from "./pages/submit";
import { Users } from "./pages/users";
import { href, route } from "./router";
import "./style.css";
import { theme, type Theme } from "./theme";
import type { Cluster } from "./types";
import { duration, now_s } from "./words";

const tabs: [string, string][] = [
    ["", "Overview"],
    ["gpus", "GPUs"],
    ["nodes", "Nodes"],
    ["jobs", "Jobs"],
    ["users", "Users"],
    ["partitions", "Partitions"],
    ["events", "Events"],
];

function Page(props: { cluster: Cluster | null }) {
    const [name = "", what] = route.value.path;
    switch (name) {
        case "":
            return <Overview />;
        case "gpus":
            return <Gpus />;
        case "nodes":
            return what ? <NodePage name={what} /> : <Nodes />;
        case "jobs":
            return what ? (
                <JobPage
                    id={what}
                    nodesPrivate={
                        props.cluster?.hidden?.includes("nodes") ?? false
                    }
                />
            ) : (
                <Jobs />
            );
        case "users":
            return <Users />;
        case "partitions":
            return <Partitions />;
        case "submit":
            return <Submit />;
        case "events":
            return <Events />;
        default:
            return (
                <main>
                    <h1>There is no page “{name}”</h1>
                    <p>
                        <a href="#/">The overview</a> leads on.
                    </p>
                </main>
            );
    }
}

// How long ago something came, without a number that runs while all is well.
function Freshness(props: { cluster: Cluster | null }) {
    const [, beat] = useState(0);
    useEffect(() => {
        const timer = setInterval(() => beat((n) => n + 1), 5000);
        return () => clearInterval(timer);
    }, []);
    const silent = now_s() - heard_s.value;
    const recording = props.cluster?.recording;
    const down = props.cluster && !props.cluster.up && !recording;
    const [tone, text] = trouble.value
        ? ["bad", trouble.value]
        : paused.value
          ? ["warn", "held still"]
          : recording
            ? ["warn", "a recording"]
            : down
              ? ["bad", "Slurm does not answer"]
              : silent > 60 && heard_s.value
                ? ["warn", `quiet for ${duration(silent)}`]
                : ["good", "live"];
    return (
        <span class={`live ${tone}`} role="status">
            <span aria-hidden="true">●</span> {text}
        </span>
    );
}

const themeNames: Record<Theme, string> = {
    auto: "as the system",
    light: "light",
    dark: "dark",
};

function ThemeChoice() {
    const order: Theme[] = ["auto", "light", "dark"];
    const next = order[(order.indexOf(theme.value) + 1) % 3]!;
    return (
        <button
            type="button"
            class="plain"
            title={`Colours: ${themeNames[theme.value]}`}
            aria-label={`Colours: ${themeNames[theme.value]}; change to ${themeNames[next]}`}
            onClick={() => (theme.value = next)}
        >
            {{ auto: "◐", light: "☀", dark: "☾" }[theme.value]}
        </button>
    );
}

function App() {
    const cluster = useAnswer<Cluster>("cluster", ["nodes"]);
    const here = route.value.path[0] ?? "";
    const name = cluster.data?.name ?? "";
    const shown: [string, string][] = mayAct()
        ? [...tabs, ["submit", "Submit"]]
        : tabs;
    useEffect(() => {
        const tab = shown.find(([path]) => path === here)?.[1] ?? here;
        document.title = `${route.value.path[1] ?? tab} – ${name || "gpu-watchdog"}`;
    });
    return (
        <>
            <button
                type="button"
                class="skip"
                onClick={() => document.getElementById("main")?.focus()}
            >
                To the content
            </button>
            <header class="top">
                <a class="brand" href="#/">
                    <img src="/icon.svg" alt="" width="22" height="22" />
                    {name || "gpu-watchdog"}
                </a>
                <nav aria-label="Pages">
                    {shown.map(([path, label]) => (
                        <a
                            key={path}
                            href={href(path ? [path] : [])}
                            aria-current={here === path ? "page" : undefined}
                        >
                            {label}
                        </a>
                    ))}
                </nav>
                <span class="right">
                    {cluster.data?.simulated && (
                        <span
                            class="simulated"
                            title="These GPUs are simulated: their figures come from no hardware."
                        >
                            simulated GPUs
                        </span>
                    )}
                    {me.value?.user && (
                        <span class="dim" title={`You are ${me.value.role}`}>
                            {me.value.user}
                        </span>
                    )}
                    <Freshness cluster={cluster.data} />
                    <button
                        type="button"
                        class="plain"
                        aria-pressed={paused.value}
                        aria-label={
                            paused.value ? "Go on" : "Hold the page still"
                        }
                        title={paused.value ? "Go on" : "Hold the page still"}
                        onClick={() => (paused.value = !paused.value)}
                    >
                        {paused.value ? "▶" : "❚❚"}
                    </button>
                    <ThemeChoice />
                </span>
            </header>
            {cluster.data && !cluster.data.up && !cluster.data.recording && (
                <p class="banner" role="alert">
                    Slurm does not answer
                    {cluster.data.reason ? `: ${cluster.data.reason}` : ""}.
                    What is shown is what was known last.
                </p>
            )}
            {!!cluster.data?.hidden?.length && (
                <p class="private">
                    Slurm keeps {cluster.data.hidden.join(", ")} private here (
                    <code>PrivateData</code>):{" "}
                    {me.value?.user
                        ? `${me.value.user} sees only what is their own.`
                        : "who has not signed in by name sees none of it."}
                </p>
            )}
            <div id="main" tabIndex={-1}>
                <Page cluster={cluster.data} />
            </div>
            <ActionDialog />
        </>
    );
}

loadMe();
startLive();
render(<App />, document.getElementById("app")!);
