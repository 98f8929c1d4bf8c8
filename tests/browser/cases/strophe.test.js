import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { attach, clientPage, installed, openAgain } from "../lib/client-page.js";
import { followGuide } from "../lib/guide.js";
import { Peer } from "../lib/peer.js";
import { boshUrl, prebindUrl, users } from "../lib/settings.js";
import { shortlyOpened } from "../lib/short.js";
import { until } from "../lib/until.js";

const visit = useBrowser();

for (const [name, file] of [
  ["strophe3", "dist/strophe.umd.js"],
  ["strophe.js", "dist/strophe.umd.cjs"],
]) {
  const { version, library } = installed(name, file);

  test(`Strophe.js ${version} attaches and talks`, async () => {
    const { page, wire } = await clientPage(visit, library);
    const bob = await Peer.signIn(boshUrl, users.bob);
    const stanzas = () => page.evaluate(() => window.stanzas.join(""));
    const attached = async () => {
      await page.evaluate(attachAndListen, { prebindUrl, boshUrl });
      await until("Bob is seen", async () => /<presence[^>]*from=['"]bob@/.test(await stanzas()));
      return { wire };
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

test("Strophe.js restores its session after a reload", async () => {
  const { library } = installed("strophe.js", "dist/strophe.umd.cjs");
  const visitor = await clientPage(visit, library);
  const { page, wire } = visitor;
  await attach(visitor, "Strophe.js", ["connection"]);
  const { sid } = visitor.session;
  const presence = () =>
    wire.requests.some((it) => it.sid === sid && it.body.includes("<presence"));
  await until("the presence is sent", presence);
  await wire.everything();
  const opened = wire.prebinds.length;

  await openAgain(page, library);
  await followGuide(page, "Strophe.js", ["connection"]);
  const bob = await Peer.signIn(boshUrl, users.bob);
  await bob.say(await page.evaluate(() => window.connection.jid), "hello again");
  await until("a message comes", () => wire.answersOf(sid).join("").includes("hello again"));
  await page.evaluate((to) => {
    const { connection, $msg } = window;
    connection.send($msg({ to, type: "chat" }).c("body").t("hello from a page"));
  }, bob.jid);
  await bob.hear(/hello from a page/);
  await bob.leave();
  await wire.everything();
  assert.equal(wire.prebinds.length, opened);
});

// What a page may do with a connection. Runs in the page.
async function attachAndListen({ prebindUrl, boshUrl }) {
  const { Strophe, $pres, $msg } = window;
  // A browser opens no more than six connections to a server, and this one has a request open.
  window.connection?.disconnect();
  const statuses = (window.statuses = []);
  const stanzas = (window.stanzas = []);
  const { jid, sid, rid } = await (await fetch(prebindUrl)).json();
  const connection = new Strophe.Connection(boshUrl);
  connection.addHandler((stanza) => stanzas.push(Strophe.serialize(stanza)));
  connection.attach(jid, sid, rid, (status) => statuses.push(status));
  connection.send($pres());
  window.connection = connection;
  window.say = (to, text) => connection.send($msg({ to, type: "chat" }).c("body").t(text));
}
