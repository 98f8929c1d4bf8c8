// A page with another client than Converse.js: what chat.js offers it.

import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { Peer } from "../lib/peer.js";
import { signIn } from "../lib/page.js";
import { serveChanged } from "../lib/served.js";
import { boshUrl, siteUrl, users } from "../lib/settings.js";

const visit = useBrowser();

test("a page of its own client gets a session, and ends it when the user signs out", async () => {
  const { context, page } = await visit();
  await openPage(page);
  const session = await page.evaluate(() => window.prebind.session());
  const alice = new Peer(boshUrl, session);
  await alice.send("<presence/>");
  const bob = await Peer.signIn(boshUrl, users.bob);
  await bob.say(session.jid, "hello, other client");
  await alice.hear(/hello, other client/);
  await bob.leave();

  // Signing out in another tab, without a form.
  const left = page.evaluate(
    () => new Promise((resolve) => (window.prebind.leave = () => resolve("left"))),
  );
  const other = await context.newPage();
  await openPage(other);
  await other.evaluate(() => window.prebind.signOut());
  assert.equal(await left, "left");
  const refused = page.evaluate(() => window.prebind.session());
  await assert.rejects(refused, /signed out/);
  await alice.leave();
});

test("a page that loads Converse.js itself has its chat", async () => {
  const { page } = await visit();
  await openPage(page);
  // What Converse.js is to chat.js: a name, an event, and how it is started.
  const started = await page.evaluate(
    () =>
      new Promise((resolve) => {
        window.converse = { plugins: { add() {} }, initialize: resolve };
        dispatchEvent(new CustomEvent("converse-loaded"));
      }),
  );
  assert.ok(started.jid.startsWith(`${users.alice.jid}/`));
});

// Without Converse.js, as the site's helper makes the page if it is told so.
async function openPage(page) {
  await serveChanged(page, `${siteUrl}/?own-client`, (html) =>
    html
      .replace(/<script type="module" [^>]*><\/script>/, "")
      .replace(/&(amp;)?converse=[^&"]*/, ""),
  );
  if (page.url() === "about:blank") await signInOnce(page);
  await page.goto(`${siteUrl}/?own-client`);
}

async function signInOnce(page) {
  const cookies = await page.context().cookies();
  if (!cookies.length) await signIn(page, "alice");
}
