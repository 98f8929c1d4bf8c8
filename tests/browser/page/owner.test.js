// Whose chat it is: that of the user whom the site knows by the cookie, whatever a page says.

import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { online, say, signIn } from "../lib/page.js";
import { hurry, lost, serveChanged, withContent } from "../lib/served.js";
import { boshUrl, prebindUrl, siteUrl } from "../lib/settings.js";
import { until } from "../lib/until.js";

const visit = useBrowser();

test("an open page does not become another user's chat", async () => {
  const { context, page, wire } = await visit();
  await hurry(context);
  await signIn(page, "alice");
  await online(page, "alice");
  await wire.quiet();
  await signInUnseen(context, "bob");

  await page.route(boshUrl, (route) => route.fulfill(lost), { times: 1 });
  const isLoaded = page.waitForEvent("framenavigated");
  // Any request will do; the page may be loaded again before the message is seen on it.
  say(page, "bob", "Are you there?").catch(() => {});
  await isLoaded;
  await online(page, "bob");
  assert.equal(wire.sids.length, 2);
});

test("a cached page of nobody's does not end everybody's chat", async () => {
  const { context, page, wire } = await visit();
  const nobodys = await (await context.request.get(`${siteUrl}/login`)).text();
  await signIn(page, "alice");
  await online(page, "alice");
  const [sid] = wire.sids;
  const other = await context.newPage();
  await serveCached(other, `${siteUrl}/login?cached`, nobodys);
  const asked = other.waitForResponse((response) => response.url().includes("jid="));
  await other.goto(`${siteUrl}/login?cached`);
  assert.equal((await (await asked).json()).kind, "OtherUser");
  await wire.quiet(3000);
  assert.ok(!wire.requests.some((request) => /type=.terminate/.test(request.body)));
  await page.reload();
  await online(page, "alice");
  assert.deepEqual(wire.sids, [sid]);
});

test("a cached page of another user's starts no chat and ends none", async () => {
  const { context, page, wire } = await visit();
  await signIn(page, "bob");
  await online(page, "bob");
  const bobs = await (await context.request.get(`${siteUrl}/`)).text();
  await signInUnseen(context, "alice");
  const other = await context.newPage();
  await serveCached(other, `${siteUrl}/?cached`, bobs, { times: 1 });
  await other.goto(`${siteUrl}/?cached`);
  await online(other, "alice");
  const sessions = wire.prebinds.map(jidOf);
  assert.equal(sessions.filter((jid) => jid.startsWith("bob@")).length, 1);
});

test("a page that is loaded again stays on its site", async () => {
  const { context, page } = await visit();
  // A path that is an address of another site, if it is read as one.
  const path = `${siteUrl}//evil.example/`;
  const bobs = await pageOf(context, "bob");
  await signInUnseen(context, "alice");
  let loads = 0;
  await page.route(`${siteUrl}//**`, async (route) => {
    const body = loads++ ? "<h1>loaded again</h1>" : bobs;
    await route.fulfill({ contentType: "text/html", body });
  });
  await page.goto(path);
  await page.getByText("loaded again").waitFor();
  assert.equal(page.url(), path);
});

test("a page that the browser makes ready in advance asks for nothing until it is opened", async () => {
  const { context, page, wire } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  const other = await context.newPage();
  // As in a browser that does so for the links of a page.
  await other.addInitScript(() => {
    window.isReady = true;
    const get = () => window.isReady;
    Object.defineProperty(Document.prototype, "prerendering", { get, configurable: true });
  });
  await other.goto(siteUrl);
  await wire.quiet(3000);
  assert.equal(wire.prebinds.length, 1);
  await other.evaluate(() => {
    window.isReady = false;
    document.dispatchEvent(new Event("prerenderingchange"));
  });
  await online(other, "alice");
  assert.equal(wire.prebinds.length, 2);
});

test("a page of another site on the same origin leaves the chat alone", async () => {
  const { context, page, wire } = await visit();
  const nobodys = await (await context.request.get(`${siteUrl}/login`)).text();
  await signIn(page, "alice");
  await online(page, "alice");
  await wire.quiet();
  const kept = () => page.evaluate(() => Object.keys(localStorage).length);
  const before = await kept();
  const other = await context.newPage();
  const elsewhere = nobodys.replace(/prebind_url=[^&"]*/, "prebind_url=%2Felsewhere");
  await serveCached(other, `${siteUrl}/login?elsewhere`, elsewhere);
  const answer = { status: 401, json: { kind: "NotLoggedIn", retry: "no" } };
  await other.route("**/elsewhere?*", (route) => route.fulfill(answer));
  await other.goto(`${siteUrl}/login?elsewhere`);
  await wire.quiet(3000);
  assert.equal(await kept(), before);
  await page.reload();
  await online(page, "alice");
  assert.equal(wire.prebinds.length, 1);
});

test("images, prefetches and navigations open no session", async () => {
  const { context, page } = await visit();
  await signIn(page, "carol");
  await online(page, "carol");
  const statuses = new Map();
  context.on("response", (response) => {
    const [, name] = /page=by-(.*)$/.exec(response.url()) ?? [];
    if (name) statuses.set(name, response.status());
  });
  const markup = {
    image: (url) => `<img src="${url}">`,
    prefetch: (url) => `<link rel="prefetch" href="${url}">`,
    script: (url) => `<script src="${url}"></script>`,
    frame: (url) => `<iframe src="${url}"></iframe>`,
  };
  const elements = Object.entries(markup).map(([name, element]) =>
    element(`${prebindUrl}?page=by-${name}`),
  );
  await serveChanged(page, `${siteUrl}/?markup`, (html, headers) => {
    delete headers["content-security-policy"];
    return withContent(html, elements.join(""));
  });
  await page.goto(`${siteUrl}/?markup`);
  await until("all have asked", () => statuses.size === elements.length);
  for (const [name, status] of statuses) assert.equal(status, 403, name);
});

test("a page in a frame has no chat of its own", async () => {
  const { page, wire } = await visit();
  for (const path of ["/?outer", "/?inner"]) {
    await serveChanged(page, siteUrl + path, (html, headers) => {
      delete headers["content-security-policy"];
      delete headers["x-frame-options"];
      return path === "/?outer" ? withContent(html, `<iframe src="/?inner"></iframe>`) : html;
    });
  }
  await signIn(page, "alice");
  await online(page, "alice");
  await wire.quiet();
  for (let load = 0; load < 2; load++) {
    await page.goto(`${siteUrl}/?outer`);
    await online(page, "alice");
    await until("the frame is loaded", () => page.frames().length === 2);
    await wire.quiet(3000);
    const [, inner] = page.frames();
    assert.equal(await inner.locator("#logout").count(), 1);
    assert.equal(await inner.locator("converse-root").count(), 0);
  }
  assert.equal(wire.prebinds.length, 1);
  assert.deepEqual(
    wire.answers.filter((answer) => answer.includes("terminate")),
    [],
  );
});

// A page that a cache gives to every user. Its nonce is old, so the test drops the policy.
function serveCached(page, url, cached, options) {
  const change = (_html, headers) => {
    delete headers["content-security-policy"];
    return cached;
  };
  return serveChanged(page, url, change, options);
}

// Signs in on a page without chat.js, as by another application of the site's.
async function signInUnseen(context, name) {
  await context.clearCookies();
  const page = await context.newPage();
  await page.route(/chat\.js|\?script=/, (route) => route.abort());
  await signIn(page, name);
  await page.close();
}

// The page of a user, whose cookie is then dropped.
async function pageOf(context, name) {
  await signInUnseen(context, name);
  const html = await (await context.request.get(`${siteUrl}/`)).text();
  await context.clearCookies();
  return html;
}

function jidOf(answer) {
  return JSON.parse(answer).jid;
}
