// Runs the cases on a site: once for each chat server.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createServer } from "node:net";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { people } from "./people.js";
import { befriend } from "./roster.js";
import { until } from "./until.js";

const here = fileURLToPath(new URL("..", import.meta.url));
const { values, positionals } = parseArgs({
  options: {
    site: { type: "string", default: "reference" },
    prebind: { type: "string", default: "/prebind" },
    server: { type: "string" },
  },
  allowPositionals: true,
});
const command = values.site === "reference" ? `exec node '${here}site/server.js'` : values.site;
const servers = JSON.parse(process.env.PREBIND_SERVERS);
const kinds = values.server ? [values.server] : Object.keys(servers);

for (const kind of kinds) {
  const users = people(servers[kind].accounts);
  // carol knows nobody.
  await befriend(servers[kind].http_url, users.alice, users.bob);
  const site = /^https?:/.test(command) ? existing(command) : await start(servers[kind], users);
  try {
    await runCases(kind, site.url);
  } finally {
    await site.stop();
  }
}

function existing(url) {
  return { url, stop() {} };
}

async function start({ http_url: boshUrl }, users) {
  const port = await freePort();
  const env = {
    ...process.env,
    SITE_PORT: String(port),
    SITE_BOSH_URL: boshUrl,
    SITE_USERS: JSON.stringify(users),
  };
  // A process group of its own, so that whatever the command starts ends as well.
  const child = spawn(command, { shell: true, detached: true, env, stdio: "inherit" });
  const ended = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (child.exitCode === null) process.kill(-child.pid, "SIGTERM");
    await ended;
  };
  try {
    await until(`the site answers: ${command}`, async () => {
      if (child.exitCode !== null) throw new Error(`the site ended: ${command}`);
      const response = await fetch(`${url}/login`).catch(() => undefined);
      return response?.ok;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

// Each in turn, for they are about the same users.
async function runCases(kind, url) {
  Object.assign(process.env, { SITE_URL: url, SITE_PREBIND: values.prebind, SITE_SERVER: kind });
  let passed = 0;
  let failed = 0;
  const cases = run({ files: await files(), concurrency: false, timeout: 120_000 });
  cases.on("test:pass", () => passed++);
  cases.on("test:fail", () => failed++);
  for await (const text of cases.compose(new spec())) process.stdout.write(text);
  const result = failed || !passed ? "FAILED" : "ok";
  console.log(`test result: ${result}. ${passed} passed; ${failed} failed; browser, ${kind}`);
  if (result !== "ok") process.exitCode = 1;
}

async function files() {
  const all = (await readdir(`${here}cases`)).sort();
  const names = positionals.length ? positionals.map((name) => `${name}.test.js`) : all;
  return names.map((name) => `${here}cases/${name}`);
}
