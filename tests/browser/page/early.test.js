// A page that the user leaves before its chat is ready.

import { test, useBrowser } from "../lib/browser.js";
import { online, said, signIn } from "../lib/page.js";
import { Peer } from "../lib/peer.js";
import { boshUrl, siteUrl, users } from "../lib/settings.js";

const visit = useBrowser();

test("a user who leaves the first page early is in the chat on the next", async () => {
  const { page } = await visit();
  const hasContacts = page.waitForResponse(
    async (response) =>
      response.url() === boshUrl && (await response.text()).includes("jabber:iq:roster"),
  );
  await signIn(page, "alice");
  // Converse.js announces the user after that.
  await hasContacts;
  await page.goto(`${siteUrl}/?next`);
  await online(page, "alice");
  const bob = await Peer.signIn(boshUrl, users.bob);
  await bob.say(users.alice.jid, "are you there?");
  await said(page, "bob", "are you there?");
  await bob.leave();
});
