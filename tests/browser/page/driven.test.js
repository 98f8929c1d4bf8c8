// Pages that Turbo, htmx or the site's own script changes without loading them.

import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { drive, drivers, follow } from "../lib/driven.js";
import { contact, online, said, signIn, signInHere } from "../lib/page.js";
import { Peer } from "../lib/peer.js";
import { boshUrl, users } from "../lib/settings.js";
import { until } from "../lib/until.js";

const visit = useBrowser();

for (const name of Object.keys(drivers)) {
  test(`a chat stays through links of ${name}, with its session`, async () => {
    const visitor = await visit();
    const { page, wire } = visitor;
    await drive(visitor, name);
    await signIn(page, "alice");
    await online(page, "alice");
    let loads = 0;
    page.on("request", (request) => (loads += Number(request.isNavigationRequest())));
    const opened = wire.prebinds.length;

    for (const path of ["/?one", "/?two"]) await follow(page, path);
    await page.goBack();
    await talksStill(page);
    assert.equal(loads, 0, "the pages were not loaded");
    assert.equal(wire.prebinds.length, opened);
  });

  for (const isMarked of [true, false]) {
    const form = isMarked ? "a form with the attribute" : "any form";
    test(`signing out by ${form} and ${name} ends the chat, and the next user gets theirs`, async () => {
      const visitor = await visit();
      const { page, wire } = visitor;
      await drive(visitor, name);
      await signIn(page, "alice");
      await online(page, "alice");
      const sid = wire.sids.at(-1);
      if (!isMarked) {
        await page.evaluate(() =>
          document
            .querySelector("[data-prebind-sign-out]")
            .removeAttribute("data-prebind-sign-out"),
        );
      }
      await page.evaluate(() => (window.isBefore = true));
      await page.locator("#logout").click();
      const isEnded = () =>
        wire.requests.some(
          (request) => request.sid === sid && /type=.terminate/.test(request.body),
        );
      await until("the session is ended", isEnded);
      await until("the page is loaded, and has nothing left", () => isClean(page));

      // In the same tab, by the same means.
      await signInHere(page, "carol");
      await online(page, "carol");
      assert.equal(await contact(page, "bob").count(), 0);
    });
  }
}

test("a chat stays while the site's own script replaces the page", async () => {
  const { page, wire } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  const opened = wire.prebinds.length;
  await page.evaluate(() => {
    history.pushState(null, "", "/?elsewhere");
    const body = document.createElement("body");
    body.textContent = "another view";
    document.body.replaceWith(body);
  });
  await talksStill(page);
  await page.evaluate(() => document.body.replaceChildren("a third view"));
  await talksStill(page);
  assert.equal(wire.prebinds.length, opened);
});

async function talksStill(page) {
  await online(page, "alice");
  const text = `still there, ${Math.random()}?`;
  const bob = await Peer.signIn(boshUrl, users.bob);
  await bob.say(users.alice.jid, text);
  await said(page, "bob", text);
  await bob.leave();
}

// Whether the page was loaded again, and neither tab nor browser has anything of Converse and Strophe, but for
// settings of nobody's.
async function isClean(page) {
  const look = () => {
    const keys = [...Object.keys(sessionStorage), ...Object.keys(localStorage)];
    return !window.isBefore && !keys.some((key) => /@|bosh-session|-jid/.test(key));
  };
  // A page that is about to go cannot answer.
  return page.evaluate(look).catch(() => false);
}
