// What chat.js adds to a page, in a real Chromium; what any site must do is in tests/browser/cases.

import { execFileSync } from "node:child_process";
import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { online, signIn, signOut } from "../lib/page.js";
import { serverKind, siteUrl } from "../lib/settings.js";
import { until } from "../lib/until.js";

const visit = useBrowser();

test("signing out in one tab ends the sessions of all", async () => {
  // What earlier cases left, the chat server may keep for a minute and more.
  const earlier = bound("alice");
  const ours = () => bound("alice").filter((jid) => !earlier.includes(jid));
  const { context, page, wire } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  const other = await context.newPage();
  await other.goto(siteUrl);
  await online(other, "alice");
  assert.equal(ours().length, 2);

  const { sids } = wire;
  assert.equal(sids.length, 2);
  await signOut(page);
  const isEnded = (sid) =>
    wire.requests.some((it) => it.sid === sid && /type=.terminate/.test(it.body));
  await until("both are ended, and not given up by the server", () => sids.every(isEnded));
  await until("both are gone", () => ours().length === 0);

  // Longer than Converse waits before it connects again.
  await wire.quiet(5000);
  assert.equal(wire.prebinds.length, 2);
  for (const tab of [page, other]) assert.deepEqual(await kept(tab), []);
});

test("a copy of a tab gets a session of its own", async () => {
  const { context, page, wire } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  // A window that is opened so starts with a copy of what the tab has stored.
  const opening = context.waitForEvent("page");
  await page.evaluate(() => void window.open("/"));
  await online(await opening, "alice");
  await wire.quiet(4000);
  assert.equal(wire.prebinds.length, 2);
  assert.equal(wire.sids.length, 2);
  assert.deepEqual(
    wire.answers.filter((answer) => /conflict|terminate/.test(answer)),
    [],
  );
});

test("a page that the browser brings back shows nobody's chat", async () => {
  const { page, wire } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  await signOut(page);
  await page.goBack();
  await page.locator("input[name=username]").waitFor();
  assert.equal(wire.prebinds.length, 1);
  assert.deepEqual(await kept(page), []);
});

test("a page that the browser brings back to the same user is not loaded twice", async () => {
  const { page } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  await page.goto(`${siteUrl}/?another`);
  await online(page, "alice");
  let loads = 0;
  page.on("request", (request) => (loads += Number(request.isNavigationRequest())));
  await page.goBack();
  await online(page, "alice");
  assert.ok(loads <= 1, `${loads} loads`);
});

test("a page of nobody's forgets what Converse.js has made anew", async () => {
  const { page } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  await signOut(page);
  const databases = () =>
    page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        indexedDB.open("converse-persistent").onsuccess = ({ target }) => {
          target.result.close();
          resolve();
        };
      }),
  );
  assert.deepEqual(await databases(), ["converse-persistent"]);
  await page.reload();
  await until("the database is gone", async () => !(await databases()).length);
});

test("a chat that is broken leaves the page as it is", async () => {
  const { page, wire } = await visit();
  const answer = { status: 503, json: { kind: "Connect", retry: "later" } };
  await page.route("**/prebind?*", (route) => route.fulfill(answer));
  const asked = page.waitForResponse("**/prebind?*");
  await signIn(page, "alice");
  await asked;
  await signOut(page);
  assert.deepEqual(wire.complaints, []);
});

// The full JIDs of a user on the server.
function bound(name) {
  const sessions = JSON.parse(execFileSync("servers", ["sessions"], { encoding: "utf8" }));
  return sessions[serverKind].jids.filter((jid) => jid.startsWith(`${name}@`));
}

// What Converse and Strophe have left in a tab and in the browser, but for settings of nobody's.
function kept(page) {
  return page.evaluate(() =>
    [...Object.keys(sessionStorage), ...Object.keys(localStorage)].filter((key) =>
      /@|bosh-session|-jid/.test(key),
    ),
  );
}
