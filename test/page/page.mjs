// SPDX-License-Identifier: GPL-2.0-or-later
//
// Looks at the dashboard in a real Chromium, as a person would: one test a run,
// named on the command line. What the browser complains of fails every test.
// Pictures go into FOLDER, for people to look at.
//
// usage: node page.mjs TEST URL FOLDER [ARGUMENT...]
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(
    new URL("../../web/package.json", import.meta.url),
);
const { chromium } = require("playwright-core");

const [test, url, folder, ...given] = process.argv.slice(2);
const pages = {
    overview: "#/",
    gpus: "#/gpus",
    nodes: "#/nodes",
    node: "#/nodes/worker1",
    jobs: "#/jobs",
    users: "#/users",
    partitions: "#/partitions",
    events: "#/events",
};

const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox"],
});
const complaints = [];

async function open(path, options = {}) {
    const page = await browser.newPage({
        viewport: { width: 1360, height: 900 },
        ...options,
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("dialog", (dialog) =>
        complaints.push(`dialog ${dialog.message()}`),
    );
    page.on("console", (message) => {
        if (message.type() === "error") complaints.push(message.text());
    });
    await page.goto(`${url}/${path}`);
    await page.locator("main").waitFor();
    return page;
}

function run(command) {
    return execFileSync("/bin/sh", ["-c", command], {
        encoding: "utf8",
    }).trim();
}

const row = (page, text) => page.locator("tbody tr", { hasText: text });

const tests = {
    // TEXT...: all of them can be read on the overview.
    async overview() {
        const page = await open("#/");
        for (const text of given)
            await page.getByText(text).first().waitFor({ timeout: 20000 });
        assert.match(await page.locator(".simulated").innerText(), /simulated/);
        await page.screenshot({ path: `${folder}/overview-light.png` });
    },

    // Each page in both colours, as axe judges it.
    async accessible() {
        const axe = readFileSync(
            require.resolve("axe-core/axe.min.js"),
            "utf8",
        );
        for (const colorScheme of ["light", "dark"])
            for (const [name, path] of Object.entries(pages)) {
                const page = await open(path, { colorScheme, bypassCSP: true });
                await page.waitForTimeout(700);
                await page.evaluate(axe);
                const { violations } = await page.evaluate(() =>
                    globalThis.axe.run(),
                );
                const grave = violations
                    .filter((v) => ["serious", "critical"].includes(v.impact))
                    .map(
                        (v) =>
                            `${v.id}: ${v.nodes.map((n) => n.target).join(" ")}`,
                    );
                assert.deepEqual(grave, [], `${name} ${colorScheme}`);
                await page.screenshot({
                    path: `${folder}/${name}-${colorScheme}.png`,
                });
                await page.close();
            }
    },

    // On a phone nothing is wider than the screen.
    async phone() {
        for (const [name, path] of Object.entries(pages)) {
            const page = await open(path, {
                viewport: { width: 390, height: 844 },
            });
            await page.waitForTimeout(500);
            const wide = await page.evaluate(
                () => document.documentElement.scrollWidth,
            );
            await page.screenshot({ path: `${folder}/${name}-phone.png` });
            assert.ok(wide <= 390, `${name} is ${wide} wide`);
            await page.close();
        }
    },

    // COMMAND prints the number of a job that it submits: it appears by itself, and
    // soon after the server said that something is new.
    async live() {
        const page = await open("#/jobs");
        await page.locator(".live.good").waitFor();
        await page.evaluate(() => {
            const stream = new EventSource("/api/v1/stream");
            stream.addEventListener(
                "tick",
                () => (globalThis.tick = Date.now()),
            );
        });
        const job = run(given[0]);
        await page
            .getByRole("link", { name: job, exact: true })
            .waitFor({ timeout: 40000 });
        const late = await page.evaluate(() => Date.now() - globalThis.tick);
        assert.ok(late < 1000, `${late} ms after the tick`);
    },

    // What the pointer is on stays where it is while jobs come and go.
    async still() {
        const page = await open("#/jobs?sort=-job");
        const first = page.locator("tbody tr").first();
        await first.waitFor();
        const before = await first.innerText();
        await first.hover();
        const job = run(given[0]);
        await page
            .getByRole("link", { name: job, exact: true })
            .waitFor({ timeout: 40000 });
        const after = await page.locator("tbody tr").first().innerText();
        assert.equal(after.split(/\s+/)[0], before.split(/\s+/)[0]);
        await page.mouse.move(5, 5);
        await page.waitForFunction(
            (id) =>
                document.querySelector("tbody tr")?.innerText.startsWith(id),
            job,
        );
    },

    // TEXT that a user chose is only ever text.
    async hostile() {
        const page = await open("#/jobs");
        await page
            .getByText(given[0], { exact: true })
            .first()
            .waitFor({ timeout: 40000 });
        assert.equal(await page.locator("img[src='x']").count(), 0);
    },

    // The cells, the order of a table and a plot's figures with keys alone.
    async keyboard() {
        const page = await open("#/gpus");
        await page.locator(".heat-box").focus();
        await page.keyboard.press("ArrowRight");
        await page.keyboard.press("ArrowRight");
        assert.match(await page.locator(".tip").innerText(), /worker1\/1/);
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: "worker1" }).waitFor();
        await page.goto(`${url}/#/nodes`);
        await page.getByRole("button", { name: "Node" }).focus();
        await page.keyboard.press("Enter");
        await page.locator("th[aria-sort='descending']").waitFor();
        assert.match(
            await page.locator("tbody tr").first().innerText(),
            /^worker2/,
        );
        assert.match(page.url(), /sort=-name/);
    },

    // What is chosen stands in the address, and the address chooses.
    async address() {
        const page = await open("#/jobs?user=alice");
        await row(page, "alice").first().waitFor({ timeout: 20000 });
        assert.equal(await row(page, "bob").count(), 0);
        await page.getByRole("searchbox", { name: "User" }).fill("bob");
        await row(page, "bob").first().waitFor();
        assert.match(page.url(), /user=bob/);
        await page.reload();
        await row(page, "bob").first().waitFor();
        assert.equal(await row(page, "alice").count(), 0);
    },

    // JOB COMMAND: the job's page before and after it is over.
    async job() {
        const page = await open(`#/jobs/${given[0]}`);
        await page.getByText("GPUs asked for").waitFor();
        await page.getByText(/uses 1/).waitFor({ timeout: 30000 });
        await page.locator(".plot canvas").first().waitFor({ timeout: 40000 });
        await page.screenshot({ path: `${folder}/job.png`, fullPage: true });
    },

    // BREAK MEND: when the server is gone the page says so, and finds it again.
    async reconnect() {
        const page = await open("#/");
        await page.locator(".live.good").waitFor();
        run(given[0]);
        await page.locator(".live.bad").waitFor({ timeout: 20000 });
        await page.screenshot({ path: `${folder}/away.png` });
        run(given[1]);
        await page.locator(".live.good").waitFor({ timeout: 40000 });
        complaints.length = 0; // the browser tells of each refused connection
    },

    // LINK JOB OTHER: who comes by LINK cancels JOB, drains a node and has it
    // resumed, and submits another; to OTHER's job he can do nothing.
    async actions() {
        const [link, job, other] = given;
        const visitor = await open(`#/jobs/${job}`);
        await visitor.getByText("Allocation", { exact: true }).waitFor();
        const offer = (on) => on.getByRole("button", { name: "Cancel job" });
        assert.equal(await offer(visitor).count(), 0, "offered to a visitor");
        await visitor.close();

        const page = await open(link, { bypassCSP: true });
        await page.goto(`${url}/#/jobs/${other}`);
        await page.getByText("Allocation", { exact: true }).waitFor();
        assert.equal(await offer(page).count(), 0, "offered of another's job");

        await page.goto(`${url}/#/jobs/${job}`);
        await offer(page).click();
        await page.screenshot({ path: `${folder}/cancel.png` });
        await page.evaluate(
            readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"),
        );
        const { violations } = await page.evaluate(() => globalThis.axe.run());
        assert.deepEqual(
            violations
                .filter((v) => ["serious", "critical"].includes(v.impact))
                .map((v) => v.id),
            [],
        );
        const dialog = page.locator("dialog[open]");
        await dialog.getByRole("button", { name: "Cancel job" }).click();
        await dialog.getByText("It is cancelled.").waitFor();
        await dialog.getByRole("button", { name: "Close" }).click();
        await page
            .locator(".head")
            .getByText("cancelled")
            .waitFor({ timeout: 30000 });

        await page.goto(`${url}/#/submit`);
        await page.getByLabel("Name").fill("from the page");
        await page.getByLabel("GPUs on each node").fill("1");
        await page.getByLabel("Script").fill("#!/bin/sh\nsleep 300\n");
        await page.screenshot({ path: `${folder}/submit.png` });
        await page.getByRole("button", { name: "Submit" }).click();
        await page.getByText("It is submitted.").waitFor();
        const submitted = page
            .locator(".outcome")
            .getByRole("link", { name: /Job/ });
        const id = (await submitted.getAttribute("href")).split("/").pop();
        const known = async () =>
            (await page.request.get(`${url}/api/v1/jobs/${id}`)).ok();
        while (!(await known())) await page.waitForTimeout(200);
        await submitted.click();
        await page.getByText("from the page").waitFor({ timeout: 30000 });
    },

    // LINK JOB TEXT: what was submitted is shown when it is asked for, as text.
    async script() {
        const page = await open(given[0]);
        await page.goto(`${url}/#/jobs/${given[1]}`);
        await page
            .getByRole("button", { name: "Show what was submitted" })
            .click();
        const script = page.locator("pre");
        await script.waitFor();
        assert.ok((await script.innerText()).includes(given[2]));
        await page.screenshot({ path: `${folder}/script.png` });
    },

    // USER NAME...: Slurm keeps things private. He is told so, finds his own jobs, and
    // of the others nothing.
    async private() {
        const [user, ...others] = given;
        const options = { extraHTTPHeaders: { "X-Remote-User": user } };
        for (const name of ["overview", "gpus", "jobs", "users"]) {
            const page = await open(pages[name], options);
            await page
                .getByText(`${user} sees only what is their own`)
                .waitFor();
            await page.waitForTimeout(700);
            const text = await page.locator("body").innerText();
            if (name === "jobs")
                assert.ok(text.includes(user), `${user} in ${text}`);
            for (const other of others)
                assert.ok(!text.includes(other), `${other} on ${name}`);
            await page.screenshot({ path: `${folder}/private-${name}.png` });
            await page.close();
        }
    },

    // NODE: it has failed once. The time-line has a table behind it.
    async health() {
        const page = await open(`#/nodes/${given[0]}`);
        const card = page.locator(".card", { hasText: "Health" });
        await card.locator(".timeline .failed").waitFor();
        await card.getByText("once").waitFor();
        await card.getByText("As a table").click();
        await card.getByRole("cell", { name: "failed" }).waitFor();
        await page.screenshot({ path: `${folder}/health.png` });
        await page.goto(`${url}/#/events`);
        await page
            .getByRole("row", { name: new RegExp(`^${given[0]} once`) })
            .waitFor();
        await page.screenshot({ path: `${folder}/failed-most.png` });
    },

    // JOB: on a large cluster all GPUs are 30 MB, and all jobs are more.
    async frugal() {
        for (const [path, wanted, without] of [
            ["#/nodes/worker1", "NVIDIA", /\/api\/v1\/(gpus|nodes)(\?since|$)/],
            [
                `#/jobs/${given[0]}`,
                "NVIDIA",
                /\/api\/v1\/(gpus|jobs)(\?since|$)/,
            ],
            ["#/gpus", "Utilisation: 0 %", /\/api\/v1\/(jobs|nodes)/],
        ]) {
            const page = await browser.newPage();
            const asked = [];
            page.on("request", (request) => asked.push(request.url()));
            await page.goto(`${url}/${path}`);
            await page.locator("main").getByText(wanted).first().waitFor();
            assert.deepEqual(
                asked.filter((address) => without.test(address)),
                [],
                `on ${path}`,
            );
            await page.close();
        }
    },

    // RANGE [TEXT]: of a long time Prometheus knows the most.
    async longago() {
        const [range, text] = given;
        const page = await open(`#/?range=${range}`);
        if (text) await page.getByText(text).first().waitFor();
        await page.locator(".plot canvas").first().waitFor();
        await page.waitForTimeout(700);
        await page.screenshot({ path: `${folder}/longago-${range}.png` });
    },

    // LINK: an admin drains a node, with a reason, and resumes it.
    async drain() {
        const page = await open(given[0]);
        await page.goto(`${url}/#/nodes/worker2`);
        await page.getByRole("button", { name: "Drain" }).click();
        const dialog = page.locator("dialog[open]");
        await dialog.getByLabel(/Reason/).fill("the fan is loud");
        await dialog.getByRole("button", { name: "Drain" }).click();
        await dialog.getByText("It gets no new jobs.").waitFor();
        await page.screenshot({ path: `${folder}/drain.png` });
        await dialog.getByRole("button", { name: "Close" }).click();
        await page
            .getByText("the fan is loud")
            .first()
            .waitFor({ timeout: 30000 });
        await page.getByRole("button", { name: "Resume" }).click();
        const second = page.locator("dialog[open]");
        await second.getByRole("button", { name: "Resume" }).click();
        await second.getByText("It takes jobs again.").waitFor();
    },

    // Held still, nothing moves; let go, it catches up.
    async pause() {
        const page = await open("#/jobs");
        await page.locator("tbody tr").first().waitFor();
        await page.getByRole("button", { name: "Hold the page still" }).click();
        const job = run(given[0]);
        await page.waitForTimeout(18000);
        const link = page.getByRole("link", { name: job, exact: true });
        assert.equal(await link.count(), 0);
        await page.getByRole("button", { name: "Go on" }).click();
        await link.waitFor({ timeout: 40000 });
    },
};

let failed = null;
try {
    await tests[test]();
    assert.deepEqual(complaints, []);
} catch (error) {
    failed = error;
}
await browser.close();
if (failed) {
    console.error(failed.message);
    if (complaints.length) console.error(complaints.join("\n"));
    process.exit(1);
}
