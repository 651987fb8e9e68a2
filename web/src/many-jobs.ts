// SPDX-License-Identifier: GPL-2.0-or-later
//
// The jobs of a cluster that has too many to send them all: the server chooses and
// orders, by the page's own parameters, and sends the pieces that are looked at.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get, paused, versions } from "./live";
import { route } from "./router";
import type { Job } from "./types";

// A job, or all tasks of an array in the same state.
export interface Row {
  job: Job;
  tasks: number;
  fold?: string;
}

const CHUNK = 200;
const PAUSE_MS = 100;

const sortFields: Record<string, string> = {
  job: "id",
  runs: "start_s",
  submit: "submit_s",
  start: "start_s",
  end: "end_s",
  memory: "memory_mib",
};

// The parameters of what is chosen, as the server takes them.
function manyQuery(): string {
  const query = route.value.query;
  const sort = query.get("sort") ?? "-job";
  const field = sort.replace(/^-/, "");
  const wish = new URLSearchParams({
    state: query.get("state") ?? "running,pending,suspended,completing",
    sort: (sort.startsWith("-") ? "-" : "") + (sortFields[field] ?? field),
    limit: String(CHUNK),
  });
  for (const name of ["user", "account", "partition", "search"])
    if (query.get(name)) wish.set(name, query.get(name)!);
  return wish.toString();
}

// ACT at once, then with the latest value each PAUSE_MS: who flies through the list
// asks for some of what he passes, and for what he stops at.
function useSeldom<T>(act: (value: T) => void): (value: T) => void {
  const waiting = useRef<{ timer?: number; value?: { is: T } }>({}).current;
  useEffect(() => () => clearTimeout(waiting.timer), []);
  return useCallback((value: T) => {
    const turn = () => {
      const next = waiting.value;
      waiting.value = undefined;
      waiting.timer = next && window.setTimeout(turn, PAUSE_MS);
      if (next) act(next.is);
    };
    waiting.value = { is: value };
    if (waiting.timer === undefined) turn();
  }, []);
}

// Rows with holes, which are filled where they are looked at. When jobs have
// changed what is in view is asked for again, and the rest forgotten.
export function useManyJobs(): {
  rows: Row[];
  loaded: boolean;
  error: string;
  need: (first: number, last: number) => void;
} {
  const wish = manyQuery();
  const version = paused.value ? -1 : (versions.value?.jobs ?? 0);
  const [state, setState] = useState<{ wish: string; rows: Row[] }>({
    wish: "",
    rows: [],
  });
  const [error, setError] = useState("");
  const [view, setView] = useState<[number, number]>([0, 0]);
  const asked = useRef({ wish: "", version: 0, chunks: new Set<number>() });
  useEffect(() => {
    const now = asked.current;
    if (now.wish !== wish || (now.version !== version && version >= 0))
      asked.current = { wish, version, chunks: new Set() };
    const { chunks } = asked.current;
    for (let c = view[0]; c <= view[1]; c++) {
      if (chunks.has(c)) continue;
      chunks.add(c);
      get<{ jobs: Job[]; total: number }>(`jobs?${wish}&offset=${c * CHUNK}`)
        .then((answer) => {
          if (asked.current.chunks !== chunks) return;
          setError("");
          setState((old) => {
            const rows = old.wish === wish ? old.rows.slice() : [];
            rows.length = answer.total;
            answer.jobs.forEach((job, i) => {
              rows[c * CHUNK + i] = {
                job,
                tasks: job.tasks ?? 1,
              };
            });
            return { wish, rows };
          });
        })
        .catch((failure: Error) => setError(failure.message));
    }
  }, [wish, version, view]);
  const look = useSeldom((next: [number, number]) =>
    setView((old) => (old[0] === next[0] && old[1] === next[1] ? old : next)),
  );
  const need = useCallback(
    (first: number, last: number) =>
      look([
        Math.floor(first / CHUNK),
        Math.floor(Math.max(first, last - 1) / CHUNK),
      ]),
    [],
  );
  return {
    rows: state.rows,
    loaded: state.wish === wish,
    error,
    need,
  };
}
