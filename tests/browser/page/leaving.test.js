// Signing out of the site always goes on, whatever becomes of the chat.

import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { online, signIn } from "../lib/page.js";
import { boshUrl, siteUrl } from "../lib/settings.js";

const visit = useBrowser();

// What keeps the chat from ending; runs in the page.
const obstacles = {
  "a browser without requestSubmit": () => delete HTMLFormElement.prototype.requestSubmit,
  "a storage without room": () => {
    const full = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    addEventListener("click", () => (Storage.prototype.setItem = full), true);
  },
  "no storage at all": () => {
    for (const name of ["localStorage", "sessionStorage"]) {
      const get = () => {
        throw new DOMException("denied", "SecurityError");
      };
      addEventListener("click", () => Object.defineProperty(window, name, { get }), true);
    }
  },
  "a database that is silent": () => {
    IDBFactory.prototype.deleteDatabase = () => ({});
  },
  "no channel to other tabs": () => {
    addEventListener("click", () => (BroadcastChannel.prototype.postMessage = undefined), true);
  },
  "a chat that does not end": () => {
    addEventListener("click", () => (window.prebind.leave = () => Promise.reject("no")), true);
  },
  "a chat that throws": () => {
    const fail = () => {
      throw new Error("no");
    };
    addEventListener("click", () => (window.prebind.leave = fail), true);
  },
  "a chat that takes forever": () => {
    addEventListener("click", () => (window.prebind.leave = () => new Promise(() => {})), true);
  },
  "a menu that takes its form away": () => {
    addEventListener("submit", (event) => setTimeout(() => event.target.remove()));
  },
  "a guard that disables what was sent": () => {
    const disable = (fields) => fields.forEach((field) => (field.disabled = true));
    addEventListener("submit", (event) => setTimeout(disable, 0, [...event.target.elements]));
  },
  "fields with the names of methods": () => {
    const names = ["append", "submit", "setAttribute", "getAttribute", "isConnected", "action"];
    const fields = names.map((name) => `<input type="hidden" name="${name}">`).join("");
    const add = (event) => event.target.form?.insertAdjacentHTML("beforeend", fields);
    addEventListener("click", add, { capture: true, once: true });
  },
  "a guard against double clicks": () => {
    const guard = (event) => {
      if (event.target.dataset.sent) event.preventDefault();
      event.target.dataset.sent = "yes";
    };
    document.addEventListener("submit", guard, true);
  },
};

for (const [what, hinder] of Object.entries(obstacles)) {
  test(`signing out goes on with ${what}`, async () => {
    const { page } = await visit();
    await page.addInitScript(hinder);
    await signIn(page, "alice");
    await online(page, "alice");
    await leaves(page);
  });
}

test("signing out goes on with a chat server that hangs", async () => {
  const { page } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  await page.route(boshUrl, () => {});
  await leaves(page);
});

test("the button that signs out may have a name and a target of its own", async () => {
  const { page } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  await page.locator("#logout").evaluate((button) => {
    Object.assign(button, { name: "which", value: "this one", formAction: button.form.action });
    button.form.action = "/no-such-page";
    // What a user wrote hides the document's own method.
    document.body.insertAdjacentHTML("beforeend", '<form name="createElement"></form>');
  });
  const sent = page.waitForRequest((request) => request.isNavigationRequest());
  await page.locator("#logout").click();
  assert.match((await sent).postData(), /which=this\+one/);
  await page.waitForURL((url) => url.href !== `${siteUrl}/`);
});

test("the button may have the attribute in place of its form, and may be elsewhere", async () => {
  const { page, wire } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  await page.locator("#logout").evaluate((button) => {
    button.form.removeAttribute("data-prebind-sign-out");
    button.form.id = "leaving";
    button.setAttribute("form", "leaving");
    button.dataset.prebindSignOut = "";
    document.body.append(button);
  });
  await leaves(page);
  // Converse may send more behind it.
  assert.ok(wire.requests.some(({ body }) => /type=.terminate/.test(body)));
});

test("two clicks on the button sign out once", async () => {
  const { page } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  const sent = [];
  page.on("request", (request) => request.method() === "POST" && sent.push(request));
  await page.locator("#logout").dblclick();
  await page.waitForURL((url) => url.href !== `${siteUrl}/`);
  assert.equal(sent.filter((request) => request.isNavigationRequest()).length, 1);
});

test("a form that a script of the site's has stopped is left alone", async () => {
  const { page } = await visit();
  await signIn(page, "alice");
  await online(page, "alice");
  await page.evaluate(() => addEventListener("submit", (event) => event.preventDefault(), true));
  await page.locator("#logout").click();
  await online(page, "alice");
  assert.equal(page.url(), `${siteUrl}/`);
});

async function leaves(page) {
  await page.locator("#logout").click();
  await page.waitForURL((url) => url.href !== `${siteUrl}/`, { timeout: 15_000 });
  // The site agrees.
  await page.goto(siteUrl);
  await page.locator("input[name=username]").waitFor();
}
