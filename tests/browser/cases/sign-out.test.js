import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { chat, contact, online, say, signIn, signOut } from "../lib/page.js";
import { storage } from "../lib/storage.js";

const visit = useBrowser();

test("the chat of who has signed out does not come back", async () => {
  const { page, wire } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  await say(page, "bob", "nobody else's business");
  await signOut(page);
  const kept = await storage(page);
  const [first] = wire.sids;
  const before = wire.requests.length;

  await signIn(page, "carol");
  await online(page, "carol");
  assert.equal(await contact(page, "bob").count(), 0);
  assert.equal(await chat(page, "bob").count(), 0);
  const after = wire.requests.slice(before);
  assert.ok(after.length > 0 && after.every(({ sid }) => sid !== first));
  assert.ok(!kept.includes("nobody else's business"), "no message is left in the browser");
});
