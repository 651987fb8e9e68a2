/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for Runpod on loopback: what main.tf asks of REST v2, and pods that are
 * hosts of the lab. Names of fields and rules are those of its OpenAPI description
 * (api-reference-v2, November 2026): unknown fields are refused by name, a mount
 * needs both its fields, a volume and its pods are in one data center.
 *
 *   node api.mjs FOLDER HOOK
 *
 * Writes its port into FOLDER/port and each pod into FOLDER/ID.json. HOOK begin ID
 * NAME KEY=VALUE… makes a pod run, HOOK end ID NAME ends it.
 */
import { execFile } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";

const [folder, hook] = process.argv.slice(2);
const pods = new Map(),
    volumes = new Map();
let made = 0;

const POD = [
    "args",
    "cloud",
    "dataCenterIds",
    "disk",
    "env",
    "globalNetworking",
].concat([
    "gpu",
    "image",
    "mounts",
    "name",
    "ports",
    "registry",
    "startSsh",
    "templateId",
]);
const VOLUME = ["dataCenter", "name", "size", "type"];

class Refused extends Error {
    constructor(status, detail) {
        super(detail);
        this.status = status;
    }
}

function fields(body, known, needed) {
    for (const name of Object.keys(body))
        if (!known.includes(name))
            throw new Refused(422, `unknown field ${name}`);
    for (const name of needed)
        if (!body[name]) throw new Refused(422, `${name} is missing`);
}

function volumeMake(body) {
    fields(body, VOLUME, ["dataCenter", "name", "size"]);
    if (body.size < 10 || body.size > 4096)
        throw new Refused(422, "size: 10 to 4096");
    const volume = { id: `vol${++made}`, type: "STANDARD", ...body };
    volumes.set(volume.id, volume);
    return volume;
}

function podCheck(body) {
    fields(body, POD, ["name", "image", "gpu"]);
    if (!body.gpu.id) throw new Refused(422, "gpu.id is missing");
    for (const port of body.ports ?? [])
        if (!/^\d+\/(http|tcp|udp)$/.test(port))
            throw new Refused(422, `port ${port}`);
    for (const [name, value] of Object.entries(body.env ?? {}))
        if (typeof value !== "string")
            throw new Refused(422, `env.${name}: no string`);
    for (const mount of body.mounts?.network ?? []) {
        fields(mount, ["volumeId", "path"], ["volumeId", "path"]);
        const volume = volumes.get(mount.volumeId);
        if (!volume) throw new Refused(404, `no volume ${mount.volumeId}`);
        if (!body.dataCenterIds?.includes(volume.dataCenter))
            throw new Refused(400, "the volume is in another data center");
    }
}

function podMake(body) {
    podCheck(body);
    const id = `pod${++made}`;
    const pod = { id, status: "PROVISIONING", cost: 1.5, ...body };
    const env = { ...body.env, RUNPOD_POD_ID: id };
    pods.set(id, pod);
    const words = Object.entries(env).map(
        ([name, value]) => `${name}=${value}`,
    );
    execFile(hook, ["begin", id, body.name, ...words], (failure) => {
        pod.status = failure ? "ERROR" : "RUNNING";
    });
    writeFileSync(`${folder}/${id}.json`, JSON.stringify(pod));
    return pod;
}

function podEnd(id) {
    const pod = pods.get(id);
    if (!pod) throw new Refused(404, `no pod ${id}`);
    pods.delete(id);
    execFile(hook, ["end", id, pod.name]);
    return null;
}

function volumeEnd(id) {
    for (const pod of pods.values())
        if (pod.mounts?.network?.some((mount) => mount.volumeId === id))
            throw new Refused(400, `volume ${id} is in use`);
    volumes.delete(id);
    return null;
}

function answer(method, path, body) {
    const [, , kind, id] = path.split("/");
    if (!path.startsWith("/v2/")) throw new Refused(404, path);
    switch (`${method} ${kind}${id ? "/ID" : ""}`) {
        case "POST pods":
            return [201, podMake(body)];
        case "POST network-volumes":
            return [201, volumeMake(body)];
        case "GET pods/ID":
            if (!pods.has(id)) throw new Refused(404, `no pod ${id}`);
            return [200, pods.get(id)];
        case "DELETE pods/ID":
            return [204, podEnd(id)];
        case "DELETE network-volumes/ID":
            return [204, volumeEnd(id)];
    }
    throw new Refused(405, `${method} ${path}`);
}

const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += piece;
    let status, body;
    try {
        if (request.headers.authorization !== "Bearer the-key-of-the-account")
            throw new Refused(401, "missing bearer token");
        [status, body] = answer(
            request.method,
            request.url,
            text && JSON.parse(text),
        );
    } catch (failure) {
        status = failure.status ?? 500;
        body = { title: "refused", status, detail: failure.message };
    }
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(body ? JSON.stringify(body) : "");
});
server.listen(0, "127.0.0.1", () => {
    writeFileSync(`${folder}/port.new`, String(server.address().port));
    renameSync(`${folder}/port.new`, `${folder}/port`);
});
