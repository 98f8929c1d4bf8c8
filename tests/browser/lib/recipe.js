// Signs in to the site of a recipe in a real Chromium, and gets a message.
//
//     node recipe.js NAME PASSWORD

import assert from "node:assert/strict";
import { visitor } from "./browser.js";
import { launch } from "./launch.js";
import { online, signIn } from "./page.js";
import { Peer } from "./peer.js";
import { boshUrl, users } from "./settings.js";

const [name, password] = process.argv.slice(2);
users[name].password = password;

const browser = await launch();
const { page, wire } = await visitor(browser);
try {
  await signIn(page, name);
  await online(page, name);

  const { jid, sid } = JSON.parse(wire.prebinds[0]);
  assert.deepEqual(wire.sids, [sid]);
  const bob = await Peer.signIn(boshUrl, users.bob);
  // The message goes to this session only, because a page that is gone may have left another one.
  await bob.say(jid, "Hello from outside");
  await page.locator(".chat-msg__text").getByText("Hello from outside").waitFor();
  await bob.leave();
  await wire.endSessions();
} catch (error) {
  throw new Error(`${error.message}\n${wire.story()}`, { cause: error });
} finally {
  await browser.close();
}
