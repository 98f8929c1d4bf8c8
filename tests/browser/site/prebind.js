// Opens a chat session with the command `prebind`.

import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

// What to answer the browser: the session as it is printed, or a status that says why not.
export async function prebind(url, jid, password) {
  const child = spawn("prebind", ["login", "--json", "--password-stdin", url, jid]);
  // A command that cannot be run closes its input at once; its exit code tells.
  child.stdin.on("error", () => {});
  child.stdin.end(`${password}\n`);
  const [output, complaint, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.on("error", resolve).on("close", resolve)),
  ]);
  if (code === 0) return { status: 200, body: JSON.parse(output) };
  console.error(complaint || code);
  return { status: 503, body: { error: "no chat at the moment" } };
}
