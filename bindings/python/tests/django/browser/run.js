// Starts the example under gunicorn, and runs the cases of this folder on it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";

const serve = fileURLToPath(new URL("../../../../../examples/django/serve", import.meta.url));
const cases = fileURLToPath(new URL("handover.test.js", import.meta.url));

const port = await freePort();
// A process group of its own, so that gunicorn's workers end as well.
const options = {
  detached: true,
  stdio: "inherit",
  env: { ...process.env, SITE_PORT: String(port) },
};
const site = spawn(serve, ["gunicorn"], options);
const ended = once(site, "exit");
try {
  const url = `http://127.0.0.1:${port}`;
  await answers(`${url}/login`);
  Object.assign(process.env, { SITE_URL: url, SITE_PREBIND: "/prebind", SITE_SERVER: "prosody" });
  await runCases();
} finally {
  if (site.exitCode === null) process.kill(-site.pid, "SIGTERM");
  await ended;
}

async function runCases() {
  let [passed, failed] = [0, 0];
  const stream = run({ files: [cases], timeout: 120_000 });
  stream.on("test:pass", () => passed++);
  stream.on("test:fail", () => failed++);
  for await (const text of stream.compose(new spec())) process.stdout.write(text);
  const result = failed || !passed ? "FAILED" : "ok";
  console.log(`test result: ${result}. ${passed} passed; ${failed} failed; Django, browser`);
  if (result !== "ok") process.exitCode = 1;
}

async function answers(url) {
  for (let i = 0; i < 300; i++) {
    if (site.exitCode !== null) throw new Error("the site ended");
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the site does not answer");
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
