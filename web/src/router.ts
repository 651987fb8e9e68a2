// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where the reader is: everything that chooses what is shown stands behind the
// "#" of the address, so that any view can be kept, sent and gone back to.
import { signal } from "@preact/signals";

export interface Route {
  path: string[];
  query: URLSearchParams;
}

function read(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return {
    path: path.split("/").filter(Boolean).map(decodeURIComponent),
    query: new URLSearchParams(query),
  };
}

export const route = signal<Route>(read());

addEventListener("hashchange", () => {
  const before = route.peek().path.join("/");
  route.value = read();
  if (route.value.path.join("/") !== before) scrollTo(0, 0);
});

export function href(
  path: (string | number)[],
  query: Record<string, string | undefined> = {},
): string {
  const given = Object.entries(query).filter(([, value]) => value);
  const text = new URLSearchParams(given as [string, string][]).toString();
  return `#/${path.map((p) => encodeURIComponent(p)).join("/")}${text ? `?${text}` : ""}`;
}

// Change what is chosen, in place: the way back leads to the page before.
export function choose(changes: Record<string, string | undefined>): void {
  const query = new URLSearchParams(route.peek().query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const given = Object.fromEntries(query.entries());
  history.replaceState(null, "", href(route.peek().path, given));
  route.value = read();
}
