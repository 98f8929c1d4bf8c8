// Runs the cases on a site, with all chat servers at the same time, because most of the time is waiting.

import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { people } from "./people.js";
import { befriend } from "./roster.js";
import { start } from "./site.js";

const here = fileURLToPath(new URL("..", import.meta.url));
const suffix = ".test.js";
const { values, positionals } = parseArgs({
  options: {
    site: { type: "string", default: "reference" },
    prebind: { type: "string", default: "/prebind" },
    server: { type: "string" },
    auth: { type: "string", default: "password" },
    tokens: { type: "boolean", default: false },
    more: { type: "string" },
    once: { type: "string" },
  },
  allowPositionals: true,
});
// The site and the cases both read this variable.
process.env.SITE_AUTH = values.auth;
const command = values.site === "reference" ? `exec node '${here}site/server.js'` : values.site;
const servers = JSON.parse(process.env.PREBIND_SERVERS);
const kinds = values.server ? [values.server] : Object.keys(servers);
const sites = [];

try {
  // The sites start one after the other, so that the next one finds what the first one has installed.
  for (const kind of kinds) sites.push(await open(kind));
  const runs = kinds.map(async (kind, index) =>
    runCases(kind, sites[index].url, await selected(kind)),
  );
  const outputs = await Promise.all(runs);
  for (const output of outputs) process.stdout.write(output);
} finally {
  for (const site of sites) await site.stop();
}

async function open(kind) {
  const users = people(servers[kind].accounts);
  // carol has no contacts.
  await befriend(servers[kind].http_url, users.alice, users.bob);
  if (/^https?:/.test(command)) return existing(command);
  if (!values.tokens) return start(command, servers[kind], users);
  // A site that signs tokens knows its key, and no chat password.
  const env = { SITE_KEY: servers[kind].site_key, PREBIND_SERVERS: undefined };
  return start(command, servers[kind], withoutChatPasswords(users), { env });
}

function withoutChatPasswords(users) {
  const known = ([name, { password, jid }]) => [name, { password, jid }];
  return Object.fromEntries(Object.entries(users).map(known));
}

function existing(url) {
  return { url, stop() {} };
}

function runCases(kind, url, files) {
  const env = { ...process.env, SITE_URL: url, SITE_PREBIND: values.prebind, SITE_SERVER: kind };
  const runner = fileURLToPath(new URL("cases.js", import.meta.url));
  const maxBuffer = Infinity;
  return new Promise((done) => {
    execFile(process.execPath, [runner, ...files], { env, maxBuffer }, (error, stdout, stderr) => {
      if (error) process.exitCode = 1;
      done(stdout + stderr);
    });
  });
}

// The files of the named cases, or of all cases for this chat server.
async function selected(kind) {
  const more = [values.more, kind === kinds[0] && values.once].filter(Boolean);
  const folders = [join(here, "cases"), ...more.map((folder) => resolve(folder))];
  const all = (await Promise.all(folders.map(casesIn))).flat();
  if (!positionals.length) return all;
  return positionals.map((name) => {
    const file = all.find((path) => basename(path, suffix) === name);
    if (!file) throw new Error(`there is no case ${name} in ${folders.join(", ")}`);
    return file;
  });
}

async function casesIn(folder) {
  const names = (await readdir(folder)).filter((name) => name.endsWith(suffix));
  return names.sort().map((name) => join(folder, name));
}
