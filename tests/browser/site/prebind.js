// Opens a chat session with the command `prebind`.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

// Where it keeps what it learns of the server, so that most sessions are made by short exchanges.
const folder = mkdtempSync(join(tmpdir(), "prebind-site-"));
const profile = join(folder, "profile");
process.on("exit", () => rmSync(folder, { recursive: true }));
process.on("SIGTERM", () => process.exit());

// What the password is to the chat server, see `prebind login --help`.
const { SITE_AUTH: auth = "password" } = process.env;

// What to answer the browser: the session, or a status that says why not.
export async function prebind(url, jid, password) {
  const options = ["--auth", auth, "--password-stdin", "--profile", profile];
  const child = spawn("prebind", ["login", ...options, url, jid]);
  // A command that cannot be run closes its input at once; its exit code tells.
  child.stdin.on("error", () => {});
  child.stdin.end(`${password}\n`);
  const [output, complaint, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.on("error", resolve).on("close", resolve)),
  ]);
  if (code === 0) return { status: 200, ...sessionIn(output) };
  console.error(complaint || code);
  return { status: 503, body: { error: "no chat at the moment" } };
}

// A site needs only `--json`. The rows for people tell the tests how many round trips there were, too.
function sessionIn(rows) {
  const found = Object.fromEntries(rows.split("\n").map((row) => row.split(/ {2,}/)));
  const { jid, sid, rid, "round trips": roundTrips } = found;
  return { body: { jid, sid, rid: Number(rid) }, headers: { "X-Round-Trips": roundTrips } };
}
