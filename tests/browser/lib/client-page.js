// A page of the site that has only a client other than Converse.js.

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

// The version of an installed package, and the text of one of its files. The path is relative to the
// package's folder.
export function installed(name, file) {
  const directory = folderOf(name);
  const { version } = JSON.parse(readFileSync(join(directory, "package.json")));
  return { version, library: readFileSync(join(directory, file), "utf8") };
}

// Bundles a package that is made for bundlers into a script that sets `window[global]`.
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

// Opens such a page in a browser that has the site's cookie. The content security policy is bypassed, because
// it is for the site's scripts and not for those of a test.
export async function clientPage(visit, ...libraries) {
  const visitor = await visit({ bypassCSP: true });
  await signIn(visitor.page, "alice");
  await openAgain(visitor.page, ...libraries);
  // This removes the session that the site's own chat would resume.
  await visitor.page.evaluate(() => sessionStorage.clear());
  return visitor;
}

export async function openAgain(page, ...libraries) {
  await page.goto(`${siteUrl}/no-such-page`);
  for (const library of libraries) await page.addScriptTag({ content: library });
}

// Runs the guide's lines for a client, and remembers the session that they got.
export async function attach(visitor, section, names) {
  const answer = visitor.page.waitForResponse(prebindUrl);
  await followGuide(visitor.page, section, names);
  visitor.session = await (await answer).json();
}

// Waits until the server has answered in the session that the client got. The page after signing in had a
// different session for its own chat.
export async function answered({ wire, session }) {
  await until("the server has answered", () => wire.answersOf(session.sid).length > 0);
  return wire.answersOf(session.sid);
}

// Checks that the client used exactly the session that it got, and that the session has not ended.
export function assertAttached({ wire, session: { sid, rid } }) {
  const [first] = wire.requests.filter((request) => request.sid === sid);
  assert.equal(first.rid, Number(rid), "the first request has the RID handed over");
  assert.deepEqual(
    wire.answersOf(sid).filter((answer) => /type=['"]terminate/.test(answer)),
    [],
  );
}

// Some packages do not export their package.json, so this looks for their folder.
function folderOf(name) {
  const [parent] = require.resolve
    .paths(name)
    .filter((path) => path.endsWith("browser/node_modules"));
  return dirname(join(parent, name, "package.json"));
}
