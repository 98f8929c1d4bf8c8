// Back, with Chromium's cache of whole pages. The cache is off in other cases, and the headless shell has none.

import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { Peer } from "../lib/peer.js";
import { hasSaid, online, signIn } from "../lib/page.js";
import { serveChanged, withContent } from "../lib/served.js";
import { boshUrl, siteUrl, users } from "../lib/settings.js";
import { until } from "../lib/until.js";
import { Wire } from "../lib/wire.js";

const visit = useBrowser({
  needsWhole: true,
  ignoreDefaultArgs: ["--disable-back-forward-cache"],
});

test("Back keeps what was typed, and renews the chat", async (t) => {
  const { page, wire } = await visit();
  await signIn(page, "alice");
  let before;
  await until("the browser has kept the page", async () => {
    await openForm(page);
    await page.goto(`${siteUrl}/?another`);
    await online(page, "alice");
    await wire.quiet();
    before = wire.requests.length;
    await back(page);
    return isKept(page, t);
  });
  assert.equal(await page.locator("#typed").inputValue(), "an hour of work");

  await until("the chat has gone on", () => wire.requests.length > before);
  await wire.quiet();
  const bob = await Peer.signIn(boshUrl, users.bob);
  // What comes while the chat is renewed, the page may not show.
  const isShown = async () => {
    await bob.say(users.alice.jid, "welcome back");
    return hasSaid(page, "bob", "welcome back");
  };
  await until("the page shows a message", isShown);
  await bob.leave();
});

test("Back to a page of the user before loads it again", async () => {
  const { page } = await visit();
  await signIn(page, "alice");
  await openForm(page);
  await page.context().clearCookies();
  await signIn(page, "bob");
  await online(page, "bob");
  await back(page);
  await back(page);
  await online(page, "bob");
  assert.equal(await page.locator("#typed").count(), 0);
});

async function openForm(page) {
  await serveChanged(
    page,
    `${siteUrl}/?form`,
    (html) => withContent(html, '<textarea id="typed"></textarea>'),
    { times: 1 },
  );
  await page.goto(`${siteUrl}/?form`);
  await online(page, "alice");
  await page.locator("#typed").fill("an hour of work");
  await Wire.of(page).quiet();
}

// A page that is kept as it was does not load. One that loads itself again at once ends this navigation.
async function back(page) {
  const isGone = ({ message }) => {
    if (message.includes("ERR_ABORTED")) return true;
    // The browser is still putting the page of the last step in its place.
    if (message.includes("Not attached to an active page")) return false;
    throw new Error(message);
  };
  await until("the browser has gone back", () =>
    page.goBack({ waitUntil: "commit" }).then(() => true, isGone),
  );
}

// Whether the page is the one that was left. A busy browser gives pages up for reasons of its own, or because a
// request was not over in time. A reason that lies in the page is there each time.
async function isKept(page, t) {
  const reasons = await page.evaluate(() => {
    const [load] = performance.getEntriesByType("navigation");
    if (load.type !== "back_forward") return [];
    return load.notRestoredReasons?.reasons.map(({ reason }) => reason) ?? ["unknown"];
  });
  if (reasons.length) t.diagnostic(`not kept: ${reasons.join(", ")}`);
  return reasons.length === 0;
}
