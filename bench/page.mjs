// SPDX-License-Identifier: GPL-2.0-or-later
//
// The page of a large cluster in a real Chromium: lines of "NAME NUMBER UNIT
// [RELATION_BOUND]" for ./benchmark dashboard. Scrolling is the worst there is: each frame
// shows other rows than the one before.
//
// usage: node page.mjs URL
import { createRequire } from "node:module";

const require = createRequire(new URL("../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const [url, bound] = process.argv.slice(2);
const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox"],
});

async function open(hash, wanted) {
    const context = await browser.newContext({
        viewport: { width: 1360, height: 900 },
    });
    const page = await context.newPage();
    // How long each callback of a frame takes: the cells are drawn in one.
    await page.addInitScript(() => {
        const ask = window.requestAnimationFrame.bind(window);
        window.redraws = [];
        window.requestAnimationFrame = (callback) =>
            ask((time) => {
                const start = performance.now();
                callback(time);
                window.redraws.push(performance.now() - start);
            });
    });
    const start = Date.now();
    await page.goto(`${url}/${hash}`, { waitUntil: "commit" });
    await page.locator(wanted).first().waitFor({ timeout: 60000 });
    return [page, Date.now() - start];
}

async function scroll(page, box) {
    await page.waitForTimeout(2500);
    return page.evaluate(async (selector) => {
        window.redraws = [];
        const element = document.querySelector(selector);
        const frames = [];
        let last = performance.now();
        for (let i = 0; i < 150; i++) {
            element.scrollTop = (i / 150) * element.scrollHeight;
            await new Promise(requestAnimationFrame);
            const now = performance.now();
            frames.push(now - last);
            last = now;
        }
        frames.sort((a, b) => a - b);
        return [
            frames[75],
            frames[142],
            frames[149],
            Math.max(...window.redraws),
        ];
    }, box);
}

const tell = (...words) => console.log(words.join(" "));
const first = [];
for (let i = 0; i < 5; i++) {
    const [page, time] = await open("#/", ".model .big strong");
    first.push(time);
    await page.context().close();
}
first.sort((a, b) => a - b);
tell(
    "first_load_of_the_overview,_median",
    first[2],
    "ms",
    `<=_${bound ?? 1000}`,
);
if (bound) tell("longest_of_5", first[4], "ms");
const large = [
    ["cells", "#/gpus", ".heat-legend", ".heat-box"],
    ["jobs", "#/jobs", "tbody tr", ".table-box"],
    ["nodes", "#/nodes", "tbody tr", ".table-box"],
];
for (const [name, hash, wanted, box] of bound ? [] : large) {
    const [page, time] = await open(hash, wanted);
    tell(`first_load_of_${name}`, time, "ms");
    const [median, late, longest, redraw] = await scroll(page, box);
    tell(`a_frame_of_${name},_median`, median.toFixed(1), "ms");
    tell(
        `a_frame_of_${name},_of_20_the_slowest`,
        late.toFixed(1),
        "ms",
        "<=_32",
    );
    tell(
        `a_frame_of_${name},_the_longest_of_150`,
        longest.toFixed(1),
        "ms",
        name === "jobs" ? "<=_32" : "",
    );
    if (name === "cells")
        tell("a_redraw_of_cells,_longest", redraw.toFixed(1), "ms", "<=_16");
    await page.context().close();
}
await browser.close();
