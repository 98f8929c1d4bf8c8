// A chat that is away floods nobody, and comes back by itself.

import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { online, signIn } from "../lib/page.js";
import { boshAnswer, lost, serveChanged, withContent } from "../lib/served.js";
import { boshUrl, prebindUrl, siteUrl } from "../lib/settings.js";
import { until } from "../lib/until.js";
import { asksForSession } from "../lib/wire.js";

const visit = useBrowser();

test("a chat server out of reach costs a few logins, one plain line, and no reload", async () => {
  const { context, page, wire } = await visit();
  const lines = [];
  context.on("console", (message) => {
    if (message.text().startsWith("prebind:")) lines.push(message.text());
  });
  const asked = [];
  context.on("request", (request) => {
    if (asksForSession(request)) asked.push(new URL(request.url()).searchParams.get("unreached"));
  });
  let isAway = true;
  await page.route(boshUrl, (route) =>
    isAway ? route.fulfill(boshAnswer(404)) : route.fallback(),
  );
  await signIn(page, "alice");
  await until("it has tried three times", () => asked.length === 3);
  const [first, ...others] = lines;
  assert.match(first, /chat server did not answer/);
  assert.ok(first.includes(`${boshUrl} (404)`), first);
  assert.deepEqual(others, []);
  // The site hears of it once, too.
  assert.deepEqual(asked, [null, "404", null]);
  assert.equal(await state(page), "away");
  await page.locator("[data-prebind-away]").waitFor();

  isAway = false;
  // A busy machine may have made a fourth try, after which the pause is 90 seconds.
  await until("it is back", async () => (await state(page)) === "on", 150_000);
  await online(page, "alice");
  assert.equal(await page.locator("[data-prebind-away]").isVisible(), false);
  assert.deepEqual(wire.complaints, []);
});

test("the page asks again as the site says", async () => {
  const { page } = await visit();
  const answers = [
    { status: 503, json: { kind: "Terminated", retry: "fresh-session" } },
    { status: 429, json: { kind: "RateLimit", retry: "later" }, headers: { "Retry-After": "3" } },
    { status: 502, body: "<html>" },
  ];
  await page.addInitScript(notePauses);
  const pauses = [];
  await page.route(`${prebindUrl}*`, async (route) => {
    if (!asksForSession(route.request())) return route.fallback();
    pauses.push(await page.evaluate(() => Math.max(0, ...window.pauses.splice(0))));
    const answer = answers.shift();
    return answer ? route.fulfill(answer) : route.fallback();
  });
  await signIn(page, "alice");
  await online(page, "alice");
  assert.equal(pauses.length, 4);
  const [, again, afterLimit, afterFailure] = pauses;
  assert.equal(again, 0, "a fresh session at once");
  assert.ok(afterLimit >= 3000, "Retry-After");
  assert.ok(afterFailure >= 3000, "and growing pauses");
});

test("the page does not ask again where that is useless, and says why", async () => {
  const { context, page } = await visit();
  const lines = [];
  context.on("console", (message) => lines.push(message.text()));
  const answer = { status: 503, json: { kind: "Auth", retry: "after-config-change" } };
  let asked = 0;
  await page.route(`${prebindUrl}*`, (route) => {
    if (!asksForSession(route.request())) return route.fallback();
    asked++;
    return route.fulfill(answer);
  });
  await page.clock.install();
  await signIn(page, "alice");
  await until("it is off", async () => (await state(page)) === "off");
  await page.clock.fastForward("10:00");
  await page.reload();
  await until("it is off again", async () => (await state(page)) === "off");
  assert.equal(asked, 2, "once a page");
  assert.ok(lines.some((line) => line.startsWith("prebind: no chat") && line.includes("Auth")));
});

test("a user whose sign-in at the provider has expired is asked to sign in, and loses nothing", async () => {
  const { page } = await visit();
  await page.route(`${prebindUrl}*`, (route) => {
    if (!asksForSession(route.request())) return route.fallback();
    return route.fulfill({ status: 401, json: { kind: "SignInAgain", retry: "no" } });
  });
  await signIn(page, "alice");
  const elements =
    "<p id=again data-prebind-sign-in hidden>Again</p><p data-prebind-away hidden></p><input id=typed>";
  await serveChanged(page, `${siteUrl}/`, (html) => withContent(html, elements));
  await page.reload();
  await page.locator("#typed").fill("half a sentence");
  await page.locator("#again").waitFor();
  assert.equal(await state(page), "sign-in");
  assert.equal(await page.locator("[data-prebind-away]").isHidden(), true);
  assert.equal(await page.locator("#typed").inputValue(), "half a sentence");

  await page.unroute(`${prebindUrl}*`);
  await page.reload();
  await online(page, "alice");
  assert.equal(await page.locator("#again").isVisible(), false);
});

test("a site has its own words for a chat that is away", async () => {
  const { page, wire } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  await page.evaluate(() => {
    const words = '<p data-prebind-away lang="de" hidden>Der Chat ist gerade nicht da.</p>';
    document.body.insertAdjacentHTML("beforeend", words);
  });
  await wire.quiet();
  await page.route(boshUrl, (route) => route.abort());
  // The request that the server holds is answered within its `wait`.
  await page.locator("[data-prebind-away]").waitFor({ timeout: 90_000 });
  assert.equal(await page.locator("[data-prebind-away]").count(), 1);
});

test("a session that was lost while the page was closed is replaced soon", async () => {
  const { page, wire } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  await page.goto("about:blank");
  await page.route(boshUrl, (route) => route.fulfill(lost), { times: 1 });
  const before = wire.prebinds.length;
  await page.goto(siteUrl);
  // That happens to one tab at a time, so there is no storm to fear.
  await until("the session is replaced", () => wire.prebinds.length > before, 10_000);
  await online(page, "alice");
});

// Keeps, in the page, how long its script has waited, in milliseconds.
function notePauses() {
  const { setTimeout } = window;
  window.pauses = [];
  window.setTimeout = (call, milliseconds = 0, ...rest) => {
    if (/chat\.js|\?script=/.test(new Error().stack)) window.pauses.push(milliseconds);
    return setTimeout(call, milliseconds, ...rest);
  };
}

function state(page) {
  return page.evaluate(() => document.documentElement.dataset.prebindChat);
}
