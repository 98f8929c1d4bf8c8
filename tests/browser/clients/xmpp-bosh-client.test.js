import { test, useBrowser } from "../lib/browser.js";
import { answered, assertAttached, attach, clientPage, installed } from "../lib/client-page.js";
import { Peer } from "../lib/peer.js";
import { boshUrl, users } from "../lib/settings.js";
import { shortlyOpened } from "../lib/short.js";
import { until } from "../lib/until.js";

const visit = useBrowser();
const { version, library } = installed("xmpp-bosh-client", "browser-bundle/index.js");

test(`xmpp-bosh-client ${version} attaches and talks`, async () => {
  const attached = async () => {
    const visitor = await clientPage(visit, library);
    await attach(visitor, "xmpp-bosh-client", ["client"]);
    return visitor;
  };
  const visitor = await shortlyOpened(attached, answered);
  const { page, session } = visitor;
  await page.evaluate(() => {
    window.stanzas = [];
    window.client.on("stanza", (stanza) => window.stanzas.push(String(stanza)));
  });
  const bob = await Peer.signIn(boshUrl, users.bob);
  await bob.say(session.jid, "hello from outside");
  const heard = () => page.evaluate(() => window.stanzas.join(""));
  await until("a message comes", async () => (await heard()).includes("hello from outside"));
  await page.evaluate((to) => window.client.sendMessage(to, "hello from a page", "chat"), bob.jid);
  await bob.hear(/hello from a page/);
  await bob.leave();
  assertAttached(visitor);
});
