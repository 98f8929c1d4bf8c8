import { test } from "node:test";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readFileSync } from "node:fs";
import assert from "node:assert/strict";
import { useBrowser } from "../lib/browser.js";
import { signIn } from "../lib/page.js";
import { Peer } from "../lib/peer.js";
import { boshUrl, prebindUrl, siteUrl, users } from "../lib/settings.js";
import { shortlyOpened } from "../lib/short.js";
import { until } from "../lib/until.js";

const visit = useBrowser();

for (const [name, file] of [
  ["strophe3", "strophe.umd.js"],
  ["strophe.js", "strophe.umd.cjs"],
]) {
  const { version, library } = installed(name, file);

  test(`Strophe.js ${version} attaches and talks`, async () => {
    // The policy of the site's pages is for the site's scripts, not for ours.
    const { page, wire } = await visit({ bypassCSP: true });
    await signIn(page, "alice");
    // A page with nothing on it, where the browser has the site's cookie.
    await page.goto(`${siteUrl}/no-such-page`);
    await page.addScriptTag({ content: library });
    const bob = await Peer.signIn(boshUrl, users.bob);
    const stanzas = () => page.evaluate(() => window.stanzas.join(""));
    const attached = async () => {
      await page.evaluate(attach, { prebindUrl, boshUrl });
      await until("Bob is seen", async () => /<presence[^>]*from=['"]bob@/.test(await stanzas()));
    };
    await shortlyOpened(attached, async () => [await stanzas()]);

    await bob.say(await page.evaluate(() => window.connection.jid), "hello from outside");
    await until("a message comes", async () => (await stanzas()).includes("hello from outside"));
    await page.evaluate((to) => window.say(to, "hello from Strophe"), bob.jid);
    await bob.hear(/hello from Strophe/);
    await bob.leave();

    const { sid, rid } = JSON.parse(wire.prebinds.at(-1));
    const requests = wire.requests.filter((request) => request.sid === sid);
    assert.deepEqual(
      requests.map((request) => request.rid),
      requests.map((_, index) => Number(rid) + index),
    );
    const statuses = await page.evaluate(() => window.statuses);
    assert.deepEqual(statuses, await page.evaluate(() => [window.Strophe.Status.ATTACHED]));
  });
}

// As README.md says, and whatever else a page does with a connection. Runs in the page.
async function attach({ prebindUrl, boshUrl }) {
  const { Strophe, $pres, $msg } = window;
  window.statuses = [];
  window.stanzas = [];
  const { jid, sid, rid } = await (await fetch(prebindUrl)).json();
  const connection = new Strophe.Connection(boshUrl);
  connection.addHandler((stanza) => window.stanzas.push(Strophe.serialize(stanza)));
  connection.attach(jid, sid, rid, (status) => window.statuses.push(status));
  connection.send($pres());
  window.connection = connection;
  window.say = (to, text) => connection.send($msg({ to, type: "chat" }).c("body").t(text));
}

function installed(name, file) {
  const directory = dirname(createRequire(import.meta.url).resolve(name));
  const { version } = JSON.parse(readFileSync(join(directory, "../package.json")));
  return { version, library: readFileSync(join(directory, file), "utf8") };
}
