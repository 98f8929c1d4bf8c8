// Hands sessions over to a real Chromium, where Strophe.js goes on with each.
//
//     node attach.js <SESSIONS
//
// SESSIONS is JSON: [{"name", "url", "jid", "sid", "rid"}]. Fails with the name of a session that does not work.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { text } from "node:stream/consumers";
import { launch } from "./lib/launch.js";

const strophe = new URL("node_modules/strophe.js/dist/strophe.umd.cjs", import.meta.url);
const browser = await launch();
try {
  const page = await browser.newPage();
  await page.addScriptTag({ path: fileURLToPath(strophe) });
  for (const session of JSON.parse(await text(process.stdin))) {
    const answer = await page.evaluate(talk, session);
    assert.equal(answer, session.jid, session.name);
  }
} finally {
  await browser.close();
}

// The JID to which the server answers a ping, in the page.
async function talk({ url, jid, sid, rid }) {
  const { Strophe, $iq } = globalThis;
  const connection = new Strophe.Connection(url);
  await new Promise((done) => {
    connection.attach(jid, sid, rid, (status) => status === Strophe.Status.ATTACHED && done());
  });
  const domain = Strophe.getDomainFromJid(jid);
  const ping = $iq({ type: "get", to: domain }).c("ping", { xmlns: "urn:xmpp:ping" });
  const answer = await new Promise((done, failed) => connection.sendIQ(ping, done, failed, 30_000));
  connection.disconnect();
  return answer.getAttribute("to");
}
