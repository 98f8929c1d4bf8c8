// With a site that signs tokens and knows no chat password.

import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { Peer } from "../lib/peer.js";
import { online, said, say, signIn } from "../lib/page.js";
import { boshUrl, siteUrl, users } from "../lib/settings.js";
import { storage } from "../lib/storage.js";
import { until } from "../lib/until.js";

const visit = useBrowser();
const token = /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/;

test("a message to a user who is offline arrives, and no token reaches the browser", async () => {
  const alice = await visit();
  await signIn(alice.page, "alice");
  await online(alice.page, "alice");
  const text = `left at ${Date.now()}`;
  await say(alice.page, "bob", text);
  await until("the server has the message", () => isReceived(alice, text));

  const bob = await visit();
  await signIn(bob.page, "bob");
  await online(bob.page, "bob");
  await said(bob.page, "alice", text);
  for (const { page, wire } of [alice, bob]) {
    const seen = [await wire.everything(), await page.content(), await storage(page)];
    assert.ok(seen[0].includes(wire.sids[0]));
    for (const place of seen) assert.doesNotMatch(place, token);
  }
});

test("a subscription request reaches both tabs of a user", async () => {
  const { context, page, wire } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  const second = await context.newPage();
  await second.goto(siteUrl);
  await online(second, "alice");
  await until("each tab has a session", () => wire.sids.length === 2);
  assert.equal(wire.prebinds.length, 2, "a token was good for each");

  const carol = await Peer.signIn(boshUrl, users.carol);
  const isRequest = (answer) =>
    stanzas(answer).some((it) => /type=["']subscribe["']/.test(it) && it.includes(users.carol.jid));
  await carol.send(`<presence type="subscribe" to="${users.alice.jid}"/>`);
  for (const sid of wire.sids)
    await until("the request arrives", () => wire.answersOf(sid).some(isRequest));
  // The next time there is no request from her yet.
  await carol.send(`<presence type="unsubscribe" to="${users.alice.jid}"/>`);
  await carol.leave();
});

// The server answers the request that it held as soon as it has the next one.
function isReceived({ wire: { requests } }, text) {
  const at = requests.findIndex(({ body }) => body.includes(text));
  return at > 0 && requests.slice(0, at).every(({ isOver }) => isOver);
}

function stanzas(answer) {
  return answer.match(/<presence[^>]*>/g) ?? [];
}
