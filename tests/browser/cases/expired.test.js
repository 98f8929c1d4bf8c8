import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { terminate } from "../lib/bosh.js";
import { Peer } from "../lib/peer.js";
import { contactOnline, online, said, signIn } from "../lib/page.js";
import { boshUrl, prebindUrl, siteUrl, users } from "../lib/settings.js";
import { hurry } from "../lib/served.js";
import { until } from "../lib/until.js";
import { asksForSession } from "../lib/wire.js";

const visit = useBrowser();
const end = /type=['"]terminate/;

test("a session that has expired before the page attaches is replaced", async () => {
  const { context, page, wire } = await visit();
  await hurry(context);
  let isFirst = true;
  await page.route(`${prebindUrl}*`, async (route) => {
    if (!isFirst || !asksForSession(route.request())) return route.fallback();
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
  const { context, page, wire } = await visit();
  await hurry(context);
  await signIn(page, "alice");
  await online(page, "alice");
  await wire.quiet();
  await endSession(wire);
  await recovers(page, wire);
});

test("a session that has expired while the page was closed is replaced", async () => {
  const { context, page, wire } = await visit();
  await hurry(context);
  await signIn(page, "alice");
  await online(page, "alice");
  await wire.quiet();
  await page.goto("about:blank");
  await endSession(wire);
  await page.goto(siteUrl);
  await recovers(page, wire);
});

// As when the server has lost patience, or was restarted. The page may have sent a request with the same RID
// meanwhile: the server then answers that the request is unknown, and the session goes on.
async function endSession(wire) {
  const [sid] = wire.sids;
  const isLost = () => wire.answersOf(sid).some((answer) => end.test(answer));
  await until("the server has ended the session", async () => {
    // There is no answer as long as the server holds it in place of the page's request.
    const patience = AbortSignal.timeout(2000);
    const answer = await terminate(boshUrl, sid, wire.lastRid(sid) + 1, patience).catch(() => "");
    return (end.test(answer) && !answer.includes("item-not-found")) || isLost();
  });
}

async function recovers(page, wire) {
  const isPresent = () => {
    const sid = wire.sids.at(-1);
    return (
      wire.sids.length > 1 &&
      wire.requests.some((request) => request.sid === sid && request.body.includes("<presence"))
    );
  };
  // ejabberd may hold the page's request for `wait` seconds more.
  await until("another session is in use, and the user present in it", isPresent, 120_000);
  await online(page, "alice");
  const bob = await Peer.signIn(boshUrl, users.bob);
  await contactOnline(page, "bob");
  await bob.say(users.alice.jid, "still there?");
  await said(page, "bob", "still there?");
  await bob.leave();
  // A page that was loaded again has another resource than the session it tried first, and ejabberd minds once, on a busy
  // machine twice. A loop opens ten in a second.
  assert.ok(wire.prebinds.length <= 4);
}
