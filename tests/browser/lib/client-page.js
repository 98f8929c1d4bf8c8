// A page of the site with nothing on it but a client other than Converse.js.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { build } from "esbuild";
import { followGuide } from "./guide.js";
import { signIn } from "./page.js";
import { prebindUrl, siteUrl } from "./settings.js";
import { until } from "./until.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(import.meta.url);

// The version of an installed package, and the text of one of its files, told from the package's folder.
export function installed(name, file) {
  const directory = folderOf(name);
  const { version } = JSON.parse(readFileSync(join(directory, "package.json")));
  return { version, library: readFileSync(join(directory, file), "utf8") };
}

// A package that is made for bundlers, as a script that sets `window[global]`.
export async function bundled(name, global) {
  const { outputFiles } = await build({
    stdin: { contents: `window.${global} = require("${name}");`, resolveDir: here },
    define: { global: "window" },
    bundle: true,
    minify: true,
    write: false,
  });
  const { version } = JSON.parse(readFileSync(join(folderOf(name), "package.json")));
  return { version, library: outputFiles[0].text };
}

// Where the browser has the site's cookie. The policy of the site's pages is for the site's scripts, not
// for those of a test.
export async function clientPage(visit, ...libraries) {
  const visitor = await visit({ bypassCSP: true });
  await signIn(visitor.page, "alice");
  await openAgain(visitor.page, ...libraries);
  // What the site's own chat would go on with.
  await visitor.page.evaluate(() => sessionStorage.clear());
  return visitor;
}

export async function openAgain(page, ...libraries) {
  await page.goto(`${siteUrl}/no-such-page`);
  for (const library of libraries) await page.addScriptTag({ content: library });
}

// Runs the guide's lines for a client, and notes the session that they were handed.
export async function attach(visitor, section, names) {
  const answer = visitor.page.waitForResponse(prebindUrl);
  await followGuide(visitor.page, section, names);
  visitor.session = await (await answer).json();
}

// Waits until the server has answered in the session that the client was handed. Before, the page that the
// user came to after signing in had another session, for its own chat.
export async function answered({ wire, session }) {
  await until("the server has answered", () => wire.answersOf(session.sid).length > 0);
  return wire.answersOf(session.sid);
}

// Whether the client has gone on with exactly what it was handed, and the session has not ended.
export function assertAttached({ wire, session: { sid, rid } }) {
  const [first] = wire.requests.filter((request) => request.sid === sid);
  assert.equal(first.rid, Number(rid), "the first request has the RID handed over");
  assert.deepEqual(
    wire.answersOf(sid).filter((answer) => /type=['"]terminate/.test(answer)),
    [],
  );
}

// Not every package lets its package.json be asked for.
function folderOf(name) {
  const [parent] = require.resolve
    .paths(name)
    .filter((path) => path.endsWith("browser/node_modules"));
  return dirname(join(parent, name, "package.json"));
}
