// Rails' default application: Turbo drives its pages, from an import map, as turbo-rails does it.

import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { contact, online, said, signIn, signInHere } from "../lib/page.js";
import { Peer } from "../lib/peer.js";
import { boshUrl, siteUrl, users } from "../lib/settings.js";
import { until } from "../lib/until.js";

const visit = useBrowser();

// What the helpers of Rails make; runs in the page.
const waysOut = {
  "form_with, with the attribute": (button) => button,
  "form_with, without the attribute": (button) => {
    button.form.removeAttribute("data-prebind-sign-out");
    return button;
  },
  "button_to, with the attribute on its button": (button) => {
    button.form.removeAttribute("data-prebind-sign-out");
    button.dataset.prebindSignOut = "";
    return button;
  },
  "link_to with turbo_method": (_button, link) => link,
  "link_to with turbo_method and the attribute": (_button, link) => {
    link.dataset.prebindSignOut = "";
    return link;
  },
  "a form that Turbo leaves alone": (button) => {
    button.form.dataset.turbo = "false";
    return button;
  },
};

test("a user who signs in by Turbo has a chat, and keeps it from page to page", async () => {
  const { page, wire } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  await wire.quiet();
  let loads = 0;
  page.on("request", (request) => (loads += Number(request.isNavigationRequest())));
  for (const path of ["/?one", "/?two"]) await goTo(page, path);
  await page.goBack();
  await page.waitForURL("**/?one");
  await online(page, "alice");
  const bob = await Peer.signIn(boshUrl, users.bob);
  await bob.say(users.alice.jid, "which page is this?");
  await said(page, "bob", "which page is this?");
  await bob.leave();
  assert.equal(loads, 0, "the pages were not loaded");
  assert.equal(wire.prebinds.length, 1);
  assert.deepEqual(thrown(wire), []);
});

for (const [way, find] of Object.entries(waysOut)) {
  test(`signing out by ${way} ends the chat, and the next user has their own`, async () => {
    const { page, wire } = await visit();
    await signIn(page, "alice");
    await online(page, "alice");
    await wire.quiet();
    const sid = wire.sids.at(-1);
    await page.evaluate(`
      const link = Object.assign(document.createElement("a"), { href: "/logout", text: "Leave" });
      link.dataset.turboMethod = "delete";
      document.body.prepend(link);
      (${find})(document.getElementById("logout"), link).id = "out";
    `);
    await page.locator("#out").click();
    await page.locator("input[name=username]").waitFor();
    const isEnded = ({ sid: other, body }) => other === sid && /type=.terminate/.test(body);
    await until("the session is ended", () => wire.requests.some(isEnded));
    await until("nothing is left", async () => !(await kept(page)).length);
    assert.match(page.url(), /\/login$/);

    // In the same tab, and by Turbo.
    await signInHere(page, "carol");
    await online(page, "carol");
    assert.equal(await contact(page, "bob").count(), 0);
    assert.equal(wire.prebinds.length, 2);
  });
}

test("a permanent element in the layout is the chat's place on every page", async () => {
  const { page, wire } = await visit();
  const place = '<div id="chat" data-turbo-permanent><converse-root></converse-root></div>';
  // Turbo fetches its pages, and only the first is a navigation.
  await page.route(
    (url) => url.origin === siteUrl && url.pathname === "/",
    async (route) => {
      const response = await route.fetch({ maxRedirects: 0 });
      const body = (await response.text()).replace(/<body[^>]*>/, `$&${place}`);
      await route.fulfill({ response, body });
    },
  );
  await signIn(page, "alice");
  await online(page, "alice");
  await wire.quiet();
  for (const path of ["/?one", "/?two"]) await goTo(page, path);
  await online(page, "alice");
  assert.equal(await page.locator("converse-root").count(), 1);
  assert.equal(await page.locator("#chat converse-user-profile").count(), 1);
  assert.equal(wire.prebinds.length, 1);
  assert.deepEqual(thrown(wire), []);
});

// Follows a link that the page has for a moment.
async function goTo(page, path) {
  await page.evaluate((path) => {
    const link = Object.assign(document.createElement("a"), { href: path, id: "go", text: "go" });
    document.body.prepend(link);
  }, path);
  await page.locator("#go").click();
  await page.waitForURL(`**${path}`);
  await page.locator("#go").waitFor({ state: "detached" });
}

// What scripts have thrown. Turbo runs the scripts of each page anew, which the policy of the first one stops.
function thrown({ complaints }) {
  return complaints.filter((complaint) => !/content security policy/i.test(complaint));
}

// What Converse and Strophe have left, but for settings of nobody's. A page that is about to go cannot answer.
function kept(page) {
  const look = () =>
    [...Object.keys(sessionStorage), ...Object.keys(localStorage)].filter((key) =>
      /@|bosh-session|-jid/.test(key),
    );
  return page.evaluate(look).catch(() => ["unknown"]);
}
