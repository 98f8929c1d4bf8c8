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

// The JID to which the server answers a ping, in the page. Strophe forgets the ping of a session that has ended.
function talk({ url, jid, sid, rid }) {
  const { Strophe, $iq } = globalThis;
  const connection = new Strophe.Connection(url);
  return new Promise((done, failed) => {
    connection.attach(jid, sid, rid, (status) => {
      const { CONNFAIL, DISCONNECTED, DISCONNECTING } = Strophe.Status;
      if ([CONNFAIL, DISCONNECTED, DISCONNECTING].includes(status))
        failed(new Error("it has ended"));
      if (status !== Strophe.Status.ATTACHED) return;
      const domain = Strophe.getDomainFromJid(jid);
      const ping = $iq({ type: "get", to: domain }).c("ping", { xmlns: "urn:xmpp:ping" });
      const answered = (answer) => {
        done(answer.getAttribute("to"));
        connection.disconnect();
      };
      connection.sendIQ(ping, answered, failed, 30_000);
    });
  });
}
