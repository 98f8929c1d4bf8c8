import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { Peer } from "../lib/peer.js";
import { online, said, say, signIn } from "../lib/page.js";
import { boshUrl, siteUrl, users } from "../lib/settings.js";

const visit = useBrowser();

test("two tabs have a session each, and leave each other alone", async () => {
  const { context, page: one, wire } = await visit();
  await signIn(one, "alice");
  await online(one, "alice");
  const two = await context.newPage();
  await two.goto(siteUrl);
  await online(two, "alice");

  // A conflict would make them throw each other out in turns, each within a second or two.
  await wire.quiet(4000);
  assert.equal(wire.prebinds.length, 2);
  assert.equal(wire.sids.length, 2);
  assert.deepEqual(
    wire.answers.filter((answer) => /conflict|terminate/.test(answer)),
    [],
  );

  const bob = await Peer.signIn(boshUrl, users.bob);
  for (const tab of [one, two]) await say(tab, "bob", tab === one ? "from one" : "from two");
  await bob.hear(/from one/);
  await bob.hear(/from two/);
  await bob.say(users.alice.jid, "to both");
  for (const tab of [one, two]) await said(tab, "bob", "to both");
  await bob.leave();
});
