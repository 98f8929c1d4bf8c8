import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { online, signIn } from "../lib/page.js";
import { serveChanged, withContent } from "../lib/served.js";
import { siteUrl } from "../lib/settings.js";

const visit = useBrowser();

test("an embedded chat is in its place on the page", async () => {
  const { page, wire } = await visit();
  const place = '<div id="place" style="height: 30rem"><converse-root></converse-root></div>';
  await serveChanged(page, `${siteUrl}/?embedded`, (html) =>
    withContent(html.replace(/overlayed/g, "embedded"), place),
  );
  await signIn(page, "alice");
  await online(page, "alice");
  await wire.quiet();
  await page.goto(`${siteUrl}/?embedded`);
  await online(page, "alice");
  await page.locator("#place converse-user-profile").waitFor();
  assert.equal(await page.locator("converse-root").count(), 1);
  assert.equal(wire.prebinds.length, 1);
  assert.deepEqual(wire.complaints, []);
});
