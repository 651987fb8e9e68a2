// SPDX-License-Identifier: GPL-2.0-or-later
//
// Light, dark, or as the machine is; and the colours of the style sheet for
// what is drawn on a canvas.
import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";

function remembered(): Theme {
  try {
    const kept = localStorage.getItem("theme");
    return kept === "light" || kept === "dark" ? kept : "auto";
  } catch {
    return "auto"; // storage is switched off: the choice lasts for the visit
  }
}

export const theme = signal<Theme>(remembered());
// Rises when colours may have changed.
export const colours = signal(0);

effect(() => {
  const chosen = theme.value;
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  try {
    localStorage.setItem("theme", chosen);
  } catch {
    // As above.
  }
  colours.value = colours.peek() + 1;
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colours.value++;
});

let probe: HTMLElement | null = null;

// What "var(--NAME)" is at the moment.
export function colour(name: string): string {
  if (!probe) {
    probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}
