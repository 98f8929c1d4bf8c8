import { mkdir } from "node:fs/promises";
import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { contactOnline, online, said, say, signIn } from "../lib/page.js";
import { serverKind, siteUrl, users } from "../lib/settings.js";
import { until } from "../lib/until.js";
import { storage } from "../lib/storage.js";

const visit = useBrowser();
const pictures = new URL("../../../target/browser/", import.meta.url);

test("the chat attaches to the prebound session, and two users talk", async () => {
  const [alice, bob] = [await visit(), await visit()];
  await signIn(alice.page, "alice");
  await signIn(bob.page, "bob");
  await online(alice.page, "alice");
  await online(bob.page, "bob");
  await contactOnline(alice.page, "bob");
  await contactOnline(bob.page, "alice");

  await say(alice.page, "bob", "Hello Bob, how is the weather?");
  await said(bob.page, "alice", "Hello Bob, how is the weather?");
  await say(bob.page, "alice", "Hello Alice! It rains.");
  await said(alice.page, "bob", "Hello Alice! It rains.");
  await mkdir(pictures, { recursive: true });
  await alice.page.screenshot({ path: new URL(`chat-${serverKind}.png`, pictures).pathname });

  for (const { wire } of [alice, bob]) {
    assert.deepEqual(wire.complaints, []);
    assert.equal(wire.prebinds.length, 1);
    const { sid, rid } = JSON.parse(wire.prebinds[0]);
    assert.deepEqual(wire.sids, [sid]);
    assert.equal(wire.requests[0].rid, Number(rid), "the first request has the RID handed over");
  }
});

test("no chat password reaches the browser", async () => {
  const { page, wire } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  await say(page, "bob", "Psst");
  await until("the message is sent", () => wire.requests.some(({ body }) => body.includes("Psst")));

  const seen = [await wire.everything(), await page.content(), await storage(page)];
  // That something would have been seen at all:
  assert.ok(seen[0].includes(users.alice.password), "the site's own password, when signing in");
  assert.ok(seen[0].includes(wire.sids[0]) && seen[0].includes("Psst"));
  assert.ok(seen[1].includes("Psst"));
  assert.ok(seen[2].includes(users.alice.jid) && seen[2].includes("Psst"));

  const { xmpp_password: password } = users.alice;
  for (const secret of [password, base64(password), base64(`\0alice\0${password}`)]) {
    for (const text of seen) assert.ok(!text.includes(secret));
  }
});

test("the page has a strict Content-Security-Policy", async () => {
  const { page } = await visit();
  await signIn(page, "alice");
  const response = await page.goto(siteUrl);
  const policy = response.headers()["content-security-policy"];
  const [, sources] = /(?:^|;)\s*script-src ([^;]*)/.exec(policy);
  assert.match(sources, /'nonce-[^']+'/);
  assert.doesNotMatch(sources, /'unsafe-(inline|eval)'/);
  await online(page, "alice");
});

function base64(text) {
  return Buffer.from(text).toString("base64");
}
