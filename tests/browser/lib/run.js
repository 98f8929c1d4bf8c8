// Runs the cases on a site: once for each chat server.

import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
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
    more: { type: "string" },
  },
  allowPositionals: true,
});
const command = values.site === "reference" ? `exec node '${here}site/server.js'` : values.site;
const servers = JSON.parse(process.env.PREBIND_SERVERS);
const kinds = values.server ? [values.server] : Object.keys(servers);
const files = await selected();

for (const kind of kinds) {
  const users = people(servers[kind].accounts);
  // carol knows nobody.
  await befriend(servers[kind].http_url, users.alice, users.bob);
  const isUrl = /^https?:/.test(command);
  const site = isUrl ? existing(command) : await start(command, servers[kind], users);
  try {
    await runCases(kind, site.url);
  } finally {
    await site.stop();
  }
}

function existing(url) {
  return { url, stop() {} };
}

// Each in turn, for they are about the same users.
async function runCases(kind, url) {
  Object.assign(process.env, { SITE_URL: url, SITE_PREBIND: values.prebind, SITE_SERVER: kind });
  let passed = 0;
  let failed = 0;
  const cases = run({ files, concurrency: false, timeout: 120_000 });
  cases.on("test:pass", () => passed++);
  cases.on("test:fail", () => failed++);
  for await (const text of cases.compose(new spec())) process.stdout.write(text);
  const result = failed || !passed ? "FAILED" : "ok";
  console.log(`test result: ${result}. ${passed} passed; ${failed} failed; browser, ${kind}`);
  if (result !== "ok") process.exitCode = 1;
}

// The files of the cases that were asked for, or of all.
async function selected() {
  const folders = [join(here, "cases"), ...(values.more ? [resolve(values.more)] : [])];
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
