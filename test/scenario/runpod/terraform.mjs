#!/usr/bin/env node
/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for Terraform with the provider runpod/runpod 2.0: neither is in Debian.
 * The files are read by HashiCorp's own parser (hcl2json); of the language it knows
 * what main.tf uses, and refuses the rest. Resources become requests to
 * RUNPOD_API_BASE_URL, as the provider makes them, in the order of their references.
 * Names of attributes are those of the provider's migration guide (2.0.0).
 */
import { execFileSync } from "node:child_process";
import {
    existsSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(
    new URL("../../../web/package.json", import.meta.url),
);
const { parse } = require("@cdktf/hcl2json");
const STATE = "terraform.tfstate";

/* Attribute -> where it goes in the request of REST v2. */
const KINDS = {
    runpod_network_volume: {
        path: "network-volumes",
        names: {
            name: "name",
            size: "size",
            data_center: "dataCenter",
            type: "type",
        },
    },
    runpod_pod: {
        path: "pods",
        names: {
            ...{
                name: "name",
                image: "image",
                args: "args",
                disk: "disk",
                env: "env",
            },
            ...{ ports: "ports", cloud: "cloud", registry: "registry" },
            ...{
                gpu_type_id: "gpu.id",
                gpu_count: "gpu.count",
                start_ssh: "startSsh",
            },
            ...{
                data_center_ids: "dataCenterIds",
                global_networking: "globalNetworking",
            },
            ...{ network_volumes: "mounts.network", template_id: "templateId" },
        },
    },
};
const META = ["count", "lifecycle"];

function refuse(text) {
    console.error(`Error: ${text}`);
    process.exit(1);
}

async function read(ending) {
    const all = {};
    for (const name of readdirSync(".").filter((name) => name.endsWith(ending)))
        for (const [kind, things] of Object.entries(
            await parse(name, readFileSync(name, "utf8")),
        ))
            all[kind] =
                typeof things === "object"
                    ? { ...all[kind], ...things }
                    : things;
    return all;
}

function bcrypt(text) {
    const salt =
        "$2b$10$" + Buffer.from(Math.random().toString()).toString("hex");
    const script = "print crypt($ARGV[0], substr($ARGV[1], 0, 29))";
    return execFileSync("perl", ["-e", script, text, salt], {
        encoding: "utf8",
    });
}

/* One ${…} of main.tf. */
function term(text, scope) {
    let found;
    if ((found = /^var\.(\w+)$/.exec(text))) {
        if (!(found[1] in scope.variables)) refuse(`no variable ${found[1]}`);
        return scope.variables[found[1]];
    }
    if ((found = /^(runpod_\w+\.\w+)\.id$/.exec(text))) {
        const made = scope.state[found[1]];
        if (!made) refuse(`${found[1]} is not made`);
        return made.id;
    }
    if ((found = /^count\.index \+ (\d+)$/.exec(text)))
        return scope.index + Number(found[1]);
    if ((found = /^bcrypt\((.+)\)$/.exec(text)))
        return bcrypt(term(found[1], scope));
    return refuse(`not known here: ${text}`);
}

function value(node, scope) {
    if (Array.isArray(node)) return node.map((item) => value(item, scope));
    if (node && typeof node === "object")
        return Object.fromEntries(
            Object.entries(node).map(([name, item]) => [
                name,
                value(item, scope),
            ]),
        );
    if (typeof node !== "string") return node;
    const whole = /^\$\{([^}]*)\}$/.exec(node);
    if (whole) return term(whole[1], scope);
    return node.replace(/\$\{([^}]*)\}/g, (all, text) => term(text, scope));
}

function request(kind, resource, scope) {
    const body = {};
    for (const [name, node] of Object.entries(resource)) {
        if (META.includes(name)) continue;
        const target = KINDS[kind].names[name];
        if (!target) refuse(`${kind} has no argument ${name}`);
        let item = value(node, scope);
        if (name === "network_volumes")
            item = item.map(({ volume_id, path }) => ({
                volumeId: volume_id,
                path,
            }));
        const [first, second] = target.split(".");
        if (second) (body[first] ??= {})[second] = item;
        else body[first] = item;
    }
    return body;
}

async function call(method, path, body) {
    const response = await fetch(
        `${process.env.RUNPOD_API_BASE_URL}/v2/${path}`,
        {
            method,
            headers: { Authorization: `Bearer ${process.env.RUNPOD_API_KEY}` },
            body: body && JSON.stringify(body),
        },
    );
    const text = await response.text();
    if (!response.ok) refuse(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
}

function variables(files, given) {
    const all = {};
    for (const [name, [declared]] of Object.entries(files.variable)) {
        all[name] =
            process.env[`TF_VAR_${name}`] ?? given[name] ?? declared.default;
        if (all[name] === undefined) refuse(`no value for variable ${name}`);
    }
    for (const name of Object.keys(given))
        if (!(name in all)) refuse(`${name} is set, and not declared`);
    return all;
}

/* What is to be: "TYPE.NAME" or "TYPE.NAME[I]", the referenced first. */
function wanted(files, scope) {
    const list = [];
    for (const [kind, resources] of Object.entries(files.resource)) {
        if (!KINDS[kind]) refuse(`the provider has no ${kind}`);
        for (const [name, [resource]] of Object.entries(resources)) {
            const count =
                "count" in resource ? value(resource.count, scope) : null;
            for (let index = 0; index < (count ?? 1); index++)
                list.push({
                    ...{ kind, resource, index },
                    key: `${kind}.${name}${count === null ? "" : `[${index}]`}`,
                });
        }
    }
    const uses = (item) => JSON.stringify(item.resource);
    return list.sort(
        (a, b) =>
            uses(a).includes(`{${b.key}.`) - uses(b).includes(`{${a.key}.`),
    );
}

const load = () =>
    existsSync(STATE) ? JSON.parse(readFileSync(STATE, "utf8")) : {};
const save = (state) => writeFileSync(STATE, JSON.stringify(state, null, 1));

async function remove(state, keys) {
    const order = ([a], [b]) => a.includes("volume") - b.includes("volume");
    for (const [key, made] of Object.entries(state).sort(order)) {
        if (!keys.includes(key)) continue;
        await call("DELETE", `${made.path}/${made.id}`);
        delete state[key];
        save(state);
    }
}

async function apply(files, given) {
    const scope = { variables: variables(files, given), state: load() };
    const list = wanted(files, scope);
    for (const { key, kind, resource, index } of list) {
        if (scope.state[key]) continue;
        const body = request(kind, resource, { ...scope, index });
        const { id } = await call("POST", KINDS[kind].path, body);
        scope.state[key] = { id, path: KINDS[kind].path };
        save(scope.state);
    }
    const keys = list.map((item) => item.key);
    await remove(
        scope.state,
        Object.keys(scope.state).filter((key) => !keys.includes(key)),
    );
}

const words = process.argv.slice(2).filter((word) => !word.startsWith("-"));
const files = await read(".tf");
switch (words[0]) {
    case "init":
        if (
            files.terraform[0].required_providers[0].runpod.version !== "~> 2.0"
        )
            refuse("no such version of the provider");
        break;
    case "apply":
        await apply(files, await read(".auto.tfvars"));
        break;
    case "destroy":
        variables(files, await read(".auto.tfvars"));
        await remove(load(), Object.keys(load()));
        rmSync(STATE, { force: true });
        break;
    case "output": {
        const scope = { state: load() };
        if (!Object.keys(scope.state).length) refuse("no outputs");
        process.stdout.write(value(files.output[words[1]][0].value, scope));
        break;
    }
    default:
        refuse(`unknown command ${words[0]}`);
}
