// Versions of Converse.js that people have, in place of the one that the site has.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test, useBrowser } from "../lib/browser.js";
import { signIn } from "../lib/page.js";
import { Peer } from "../lib/peer.js";
import { boshUrl, users } from "../lib/settings.js";
import { until } from "../lib/until.js";

const visit = useBrowser();

for (const name of ["converse12", "converse10", "converse7"]) {
  const folder = new URL(`../node_modules/${name}/`, import.meta.url).pathname;
  const { version } = JSON.parse(readFileSync(join(folder, "package.json")));

  test(`the page works with Converse.js ${version}`, async () => {
    // These versions need 'unsafe-eval'.
    const { context, page, wire } = await visit({ bypassCSP: true });
    await context.route(/\/converse\//, (route) => {
      const [, file] = new URL(route.request().url()).pathname.split("/converse/");
      return route.fulfill({ path: join(folder, "dist", file) });
    });
    await signIn(page, "alice");
    const isPresent = () => wire.requests.some(({ body }) => body.includes("<presence"));
    await until("the user is present", isPresent);
    const [sid] = wire.sids;
    const bob = await Peer.signIn(boshUrl, users.bob);
    await bob.say(users.alice.jid, "hello, old one");
    await until("a message comes", () => wire.answersOf(sid).join("").includes("hello, old one"));
    await bob.leave();
    // ejabberd ends a session in which another resource is named, and the page would ask again and again.
    await wire.quiet(3000);
    assert.deepEqual(wire.sids, [sid]);
    assert.equal(wire.prebinds.length, 1);
  });
}
