// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the page knows of the cluster. One stream tells which collections have
// a new version; those that something on the page uses are then fetched, as
// differences where the server can. A tab that nobody sees has no stream: when
// it is looked at again it asks for what it missed.
import { effect, signal, type Signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type {
  Gpu,
  Job,
  Node,
  Partition,
  Qos,
  Reservation,
  User,
} from "./types";

export type Versions = Record<string, number>;

// What the server said last; null before it said anything.
export const versions = signal<Versions | null>(null);
// While the reader holds the page still, nothing is fetched.
export const paused = signal(false);
// Why nothing comes; "" while it does.
export const trouble = signal("");
// When something last came, in seconds of this machine.
export const heard_s = signal(0);

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

export async function get<T>(path: string): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(`/api/v1/${path}`, { cache: "no-store" });
  } catch {
    throw new ApiError("gpu-watchdog does not answer.", 0);
  }
  if (!answer.ok) {
    const body = (await answer.json().catch(() => null)) as {
      error?: string;
    } | null;
    throw new ApiError(
      body?.error ?? `The server answered ${answer.status}.`,
      answer.status,
    );
  }
  return (await answer.json()) as T;
}

// What several ask for at the same time is asked once. Of what was begun before a tick
// nobody takes the answer after it.
const underWay = new Map<string, Promise<unknown>>();

function ask<T>(path: string): Promise<T> {
  let answer = underWay.get(path);
  if (!answer) {
    const mine = get<T>(path).finally(() => {
      if (underWay.get(path) === mine) underWay.delete(path);
    });
    underWay.set(path, mine);
    answer = mine;
  }
  return answer as Promise<T>;
}

interface Answer<T> {
  version: number;
  stale: boolean;
  whole?: boolean;
  gone?: (string | number)[];
  [records: string]: T[] | unknown;
}

// The records of one collection, in the server's order.
export class Collection<T> {
  readonly list: Signal<T[]> = signal([]);
  readonly loaded = signal(false);
  readonly stale = signal(false);
  readonly error = signal("");
  private records = new Map<string | number, T>();
  private version = 0;
  private users = 0;
  private asking = false;

  constructor(
    readonly name: string,
    readonly id: (record: T) => string | number,
  ) {
    effect(() => {
      const told = versions.value?.[name];
      if (told !== undefined && told !== this.version && !paused.value)
        void this.refresh();
    });
  }

  use(): () => void {
    this.users++;
    void this.refresh();
    return () => this.users--;
  }

  async refresh(): Promise<void> {
    if (this.asking || this.users === 0 || document.hidden) return;
    const before = this.version;
    this.asking = true;
    try {
      const since = this.version ? `?since=${this.version}` : "";
      this.take(await get<Answer<T>>(this.name + since));
      this.error.value = "";
    } catch (failure) {
      this.error.value = (failure as Error).message;
    } finally {
      this.asking = false;
    }
    const told = versions.peek()?.[this.name];
    // Without progress the next tick is waited for.
    if (
      told !== undefined &&
      told > this.version &&
      this.version > before &&
      !this.error.peek()
    )
      void this.refresh();
  }

  private take(answer: Answer<T>): void {
    const records = answer[this.name] as T[];
    const whole = !answer.gone || answer.whole;
    if (whole) this.records = new Map();
    for (const id of answer.gone ?? []) this.records.delete(id);
    for (const record of records) this.records.set(this.id(record), record);
    this.version = answer.version;
    this.stale.value = answer.stale;
    this.loaded.value = true;
    if (whole || records.length > 0 || (answer.gone?.length ?? 0) > 0)
      this.list.value = [...this.records.values()];
  }
}

export const nodes = new Collection<Node>("nodes", (n) => n.name);
export const gpus = new Collection<Gpu>("gpus", (g) => g.id);
export const jobs = new Collection<Job>("jobs", (j) => j.id);
export const users = new Collection<User>("users", (u) => u.user);
export const partitions = new Collection<Partition>(
  "partitions",
  (p) => p.name,
);

export const reservations = new Collection<Reservation>(
  "reservations",
  (r) => r.name,
);
export const qos = new Collection<Qos>("qos", (q) => q.name);

// The GPUs of some nodes, as Slurm writes a list of them; "" for none. One that is too
// long to be asked for is that of nearly all.
export function useGpusOf(list: string): Gpu[] {
  const path =
    list.length > 4000
      ? "gpus"
      : list && `gpus?node=${encodeURIComponent(list)}`;
  return useAnswer<{ gpus: Gpu[] }>(path, ["gpus"]).data?.gpus ?? [];
}

// The records of a collection while a component is on the page and wants them.
export function useCollection<T>(
  collection: Collection<T>,
  wanted = true,
): T[] {
  useLayoutEffect(
    () => (wanted ? collection.use() : undefined),
    [collection, wanted],
  );
  return collection.list.value;
}

// An answer that is asked for again when one of the named versions rises; null
// before the first. A failure leaves what was. For no path nothing is asked.
export function useAnswer<T>(
  path: string,
  on: string[],
): { data: T | null; error: string; missing: boolean } {
  const [state, setState] = useState<{
    path: string;
    data: T | null;
    error: string;
    missing: boolean;
  }>({ path, data: null, error: "", missing: false });
  const told = versions.value;
  const key = paused.value
    ? "paused"
    : on.map((name) => told?.[name] ?? 0).join();
  const turn = useRef({ path, asked: 0, shown: 0 }).current;
  useEffect(() => () => void (turn.path = ""), []);
  // Before the browser paints what there is so far, which may take longer.
  useLayoutEffect(() => {
    if (!path) return;
    if (key === "paused" && state.data !== null && state.path === path) return;
    const mine = ++turn.asked;
    turn.path = path;
    // The answer of before is good while that of now is under way.
    const isWanted = () => {
      const wanted = turn.path === path && mine > turn.shown;
      if (wanted) turn.shown = mine;
      return wanted;
    };
    ask<T>(path)
      .then((data) => {
        if (isWanted()) setState({ path, data, error: "", missing: false });
      })
      .catch((failure: ApiError) => {
        if (isWanted())
          setState((old) => ({
            path,
            data: old.path === path ? old.data : null,
            error: failure.message,
            missing: failure.status === 404,
          }));
      });
  }, [path, key]);
  return state.path === path
    ? state
    : { data: null, error: "", missing: false };
}

// ---- the stream

let stream: EventSource | null = null;

function onTick(event: MessageEvent<string>): void {
  underWay.clear();
  versions.value = JSON.parse(event.data) as Versions;
  heard_s.value = Date.now() / 1000;
  trouble.value = "";
}

function open(): void {
  if (stream || document.hidden) return;
  stream = new EventSource("/api/v1/stream");
  stream.addEventListener("tick", onTick);
  stream.onopen = () => {
    trouble.value = "";
    heard_s.value = Date.now() / 1000;
  };
  stream.onerror = () => {
    trouble.value = "gpu-watchdog does not answer; trying again.";
    // A refusal ends the stream for good; a cut is mended by the browser.
    if (stream?.readyState === EventSource.CLOSED) {
      close();
      setTimeout(open, 5000);
    }
  };
}

function close(): void {
  stream?.close();
  stream = null;
}

export function startLive(): void {
  document.addEventListener("visibilitychange", () =>
    document.hidden ? close() : open(),
  );
  open();
}
