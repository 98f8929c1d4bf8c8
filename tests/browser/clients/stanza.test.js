import { test, useBrowser } from "../lib/browser.js";
import { answered, assertAttached, attach, bundled, clientPage } from "../lib/client-page.js";
import { Peer } from "../lib/peer.js";
import { boshUrl, users } from "../lib/settings.js";
import { shortlyOpened } from "../lib/short.js";
import { until } from "../lib/until.js";

const visit = useBrowser();
const { version, library } = await bundled("stanza", "stanza");
const globals = "const { createClient } = stanza;";

test(`stanza ${version} attaches and talks, after a short login too`, async () => {
  const attached = async () => {
    const visitor = await clientPage(visit, library, globals);
    await attach(visitor, "stanza", ["client"]);
    return visitor;
  };
  const visitor = await shortlyOpened(attached, answered);
  const { page, wire, session } = visitor;
  const bob = await Peer.signIn(boshUrl, users.bob);
  await bob.say(session.jid, "hello from outside");
  await until("a message comes", () =>
    wire.answersOf(session.sid).join("").includes("hello from outside"),
  );
  await page.evaluate(
    (to) => window.client.sendMessage({ to, body: "hello from stanza" }),
    bob.jid,
  );
  await bob.hear(/hello from stanza/);
  await bob.leave();
  assertAttached(visitor);
});
