import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import assert from "node:assert/strict";
import { useBrowser } from "../lib/browser.js";
import { terminate } from "../lib/bosh.js";
import { Peer } from "../lib/peer.js";
import { contactOnline, online, said, signIn } from "../lib/page.js";
import { boshUrl, prebindUrl, siteUrl, users } from "../lib/settings.js";
import { until } from "../lib/until.js";
import { asksForSession } from "../lib/wire.js";

const visit = useBrowser();

test("a session that has expired before the page attaches is replaced", async () => {
  const { page, wire } = await visit();
  let isFirst = true;
  await page.route(`${prebindUrl}*`, async (route) => {
    if (!isFirst || !asksForSession(route.request())) return route.continue();
    isFirst = false;
    const response = await route.fetch();
    const { sid, rid } = await response.json();
    await terminate(boshUrl, sid, rid);
    await route.fulfill({ response });
  });
  await signIn(page, "alice");
  await recovers(page, wire);
});

test("a session that ends while the page is open is replaced", async () => {
  const { page, wire } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  await wire.quiet();
  await endSession(wire);
  await recovers(page, wire);
});

test("a session that has expired while the page was closed is replaced", async () => {
  const { page, wire } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  await wire.quiet();
  await page.goto("about:blank");
  await endSession(wire);
  await page.goto(siteUrl);
  await recovers(page, wire);
});

// As when the server has lost patience, or was restarted. If the page was quicker with the same RID, the
// answer is the page's, or none as long as the server holds it.
async function endSession(wire) {
  const [sid] = wire.sids;
  await until("the server has ended the session", async () => {
    const ended = terminate(boshUrl, sid, wire.lastRid(sid) + 1).catch(() => "");
    return /type=['"]terminate/.test(await Promise.race([ended, setTimeout(2000, "")]));
  });
}

async function recovers(page, wire) {
  await until("another session is in use, and the user present in it", () => {
    const sid = wire.sids.at(-1);
    return (
      wire.sids.length > 1 &&
      wire.requests.some((request) => request.sid === sid && request.body.includes("<presence"))
    );
  });
  await online(page, "alice");
  const bob = await Peer.signIn(boshUrl, users.bob);
  await contactOnline(page, "bob");
  await bob.say(users.alice.jid, "still there?");
  await said(page, "bob", "still there?");
  await bob.leave();
  // A page that was loaded again has another resource than the session it tried first, and
  // ejabberd minds once; more would be a loop.
  assert.ok(wire.prebinds.length <= 3, `it asked ${wire.prebinds.length} times`);
}
