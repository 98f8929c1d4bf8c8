// What a Content-Security-Policy must allow: the site's own, and the one that the guide names.

import { readFileSync } from "node:fs";
import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { contact, contactOnline, online, say, signIn } from "../lib/page.js";
import { Peer } from "../lib/peer.js";
import { serveChanged } from "../lib/served.js";
import { boshUrl, siteUrl, users } from "../lib/settings.js";

const visit = useBrowser();
const guide = readFileSync(new URL("../../../bindings/web/README.md", import.meta.url), "utf8");
const [, named] = /```text\n(default-src 'none';.*?)```/s.exec(guide);
const picture =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const policies = {
  "the site's own": (own) => own,
  "the guide's, with Trusted Types": (own) => {
    const [, nonce] = /'nonce-([^']+)'/.exec(own);
    const policy = named
      .replace(/\s+/g, " ")
      .replace("NONCE", nonce)
      .replace("https://chat.example.org", new URL(boshUrl).origin);
    return `${policy}; require-trusted-types-for 'script'`;
  },
};

for (const [whose, policyFrom] of Object.entries(policies)) {
  test(`the policy allows the chat and people's pictures: ${whose}`, async () => {
    const bob = await Peer.signIn(boshUrl, users.bob);
    const photo = `<PHOTO><TYPE>image/png</TYPE><BINVAL>${picture}</BINVAL></PHOTO>`;
    await bob.send(`<iq type="set" id="card"><vCard xmlns="vcard-temp">${photo}</vCard></iq>`);
    await bob.hear(/id=["']card/);

    const { page, wire } = await visit();
    await serveChanged(page, `${siteUrl}/?policy`, (html, headers) => {
      const name = "content-security-policy";
      headers[name] = policyFrom(headers[name]);
      return html;
    });
    await signIn(page, "alice");
    await online(page, "alice");
    // Converse.js has the list of contacts then, and takes it to the next page.
    await contactOnline(page, "bob");
    await page.goto(`${siteUrl}/?policy`);
    await online(page, "alice");
    await say(page, "bob", "how do you look?");
    const shown = contact(page, "bob").locator(`[src*="${picture}"], [href*="${picture}"]`);
    await shown.waitFor();
    const width = () => shown.evaluate((image) => image.naturalWidth ?? image.getBBox().width);
    assert.ok((await width()) > 0, "the picture is loaded");
    assert.deepEqual(wire.complaints, []);
    await bob.leave();
  });
}
