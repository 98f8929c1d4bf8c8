import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { Peer } from "../lib/peer.js";
import { contactOnline, online, said, say, signIn } from "../lib/page.js";
import { boshUrl, users } from "../lib/settings.js";
import { shortlyOpened } from "../lib/short.js";

const visit = useBrowser();

test("what a short login leaves in the session does no harm", async () => {
  const { page, wire } = await shortlyOpened(aliceOnline, ({ wire }) => wire.answers);
  const bob = await Peer.signIn(boshUrl, users.bob);
  await contactOnline(page, "bob");
  await bob.say(users.alice.jid, "short");
  await said(page, "bob", "short");
  await say(page, "bob", "and sweet");
  await bob.hear(/and sweet/);
  await bob.leave();
  assert.equal(wire.sids.length, 1);
  assert.deepEqual(wire.complaints, []);
});

async function aliceOnline() {
  const visitor = await visit();
  await signIn(visitor.page, "alice");
  await online(visitor.page, "alice");
  return visitor;
}
