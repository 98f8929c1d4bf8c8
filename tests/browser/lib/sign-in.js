// Signs in to a site by its identity provider, in a real Chromium, and talks.
//
//     node sign-in.js NAME DOMAIN
//
// The site's page for signing in has a link or button with the text "Sign in", which leads to the provider that
// `servers provider` starts.

import assert from "node:assert/strict";
import { visitor } from "./browser.js";
import { launch } from "./launch.js";
import { online } from "./page.js";
import { Peer } from "./peer.js";
import { boshUrl, siteUrl, users } from "./settings.js";

const [name, domain] = process.argv.slice(2);
users[name].jid = `${name}@${domain}`;

const browser = await launch();
const { page, wire } = await visitor(browser);
try {
  await page.goto(`${siteUrl}/login`);
  await page.getByText("Sign in", { exact: true }).click();
  await page.locator("input[name=login]").fill(name);
  await page.locator("input[name=password]").fill("any");
  await page.locator("input[name=password]").press("Enter");
  // The provider asks whether the site may know who the user is.
  await page.getByText("Continue").click();
  await page.waitForURL(`${siteUrl}/`);
  await online(page, name);

  const { jid, sid } = JSON.parse(wire.prebinds[0]);
  assert.deepEqual(wire.sids, [sid]);
  const bob = await Peer.signIn(boshUrl, users.bob);
  await bob.say(jid, "Hello from outside");
  await page.locator(".chat-msg__text").getByText("Hello from outside").waitFor();
  await bob.leave();
  await wire.endSessions();
} catch (error) {
  throw new Error(`${error.message}\n${wire.story()}`, { cause: error });
} finally {
  await browser.close();
}
