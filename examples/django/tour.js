// What the demo shows: alice and bob sign in to the site with a Chromium each, and talk.

import { randomBytes } from "node:crypto";
import { visitor } from "../../tests/browser/lib/browser.js";
import { launch } from "../../tests/browser/lib/launch.js";
import { contactOnline, online, said, say, signIn } from "../../tests/browser/lib/page.js";
import { users } from "../../tests/browser/lib/settings.js";
import { storage } from "../../tests/browser/lib/storage.js";

export async function tour(picture, done) {
  const browser = await launch();
  const visits = [];
  const enter = async (name) => {
    const visit = await visitor(browser);
    visits.push(visit);
    await signIn(visit.page, name);
    await online(visit.page, name);
    const { jid } = JSON.parse(visit.wire.prebinds[0]);
    done(`${name} signed in to the site, and is in the chat as ${jid}`);
    return visit;
  };
  try {
    const alice = await enter("alice");
    const bob = await enter("bob");
    await contactOnline(alice.page, "bob");
    await contactOnline(bob.page, "alice");

    const hello = `Hello Bob, ${randomBytes(4).toString("hex")}`;
    await say(alice.page, "bob", hello);
    await said(bob.page, "alice", hello);
    done(`alice said "${hello}", and bob heard it`);
    await say(bob.page, "alice", "Hello Alice!");
    await said(alice.page, "bob", "Hello Alice!");
    done("bob answered");

    await noPassword(alice, users.alice);
    await noPassword(bob, users.bob);
    done("no chat password was in a page, in what it sent or received, or in what it stored");
    await alice.page.screenshot({ path: picture });
    done(`picture of alice's page: ${picture}`);
  } catch (error) {
    const stories = visits.map(({ wire }) => wire.story());
    throw new Error([error.message, ...stories].join("\n"), { cause: error });
  } finally {
    await browser.close();
  }
}

async function noPassword({ page, wire }, { xmpp_password: password }) {
  for (const text of [await wire.everything(), await page.content(), await storage(page)]) {
    if (text.includes(password)) throw new Error("a chat password reached the browser");
  }
}
