import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { Peer } from "../lib/peer.js";
import { online, said, say, signIn } from "../lib/page.js";
import { boshUrl, users } from "../lib/settings.js";
import { storage } from "../lib/storage.js";
import { until } from "../lib/until.js";

const visit = useBrowser();

test("a page that is loaded again keeps its session", async () => {
  const { page, wire } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  await say(page, "bob", "before");
  await until("the message is kept", async () => (await storage(page)).includes("before"));

  await page.reload();
  await online(page, "alice");
  await said(page, "bob", "before");
  const bob = await Peer.signIn(boshUrl, users.bob);
  await bob.say(users.alice.jid, "after");
  await said(page, "bob", "after");
  await bob.leave();

  assert.equal(wire.prebinds.length, 1);
  assert.equal(wire.sids.length, 1);
});
