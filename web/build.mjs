// SPDX-License-Identifier: GPL-2.0-or-later
//
// Makes web/dist from web/src: three files, without anything that differs from
// one machine to the next, so that "is dist what the sources build?" is a
// comparison of bytes. Fails when the page is heavier than promised.
//
// usage: node build.mjs [FOLDER]      into FOLDER instead of dist
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const budget = { "app.js": 60 * 1024, "app.css": 10 * 1024 };
const folder = process.argv[2] ?? "dist";

mkdirSync(folder, { recursive: true });
await build({
    entryPoints: { app: "src/main.tsx" },
    outdir: folder,
    bundle: true,
    minify: true,
    target: "es2022",
    format: "esm",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "warning",
});
writeFileSync(`${folder}/index.html`, readFileSync("src/index.html"));
writeFileSync(`${folder}/icon.svg`, readFileSync("src/icon.svg"));

let heavy = false;
for (const [name, most] of Object.entries(budget)) {
    const size = gzipSync(readFileSync(`${folder}/${name}`), {
        level: 9,
    }).length;
    console.log(`${name}: ${size} bytes gzipped of ${most}`);
    heavy ||= size > most;
}
if (heavy) {
    console.error("The page is heavier than promised; take something out.");
    process.exit(1);
}
