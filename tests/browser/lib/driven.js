// Turns any site into one that changes its pages without loading them.

import { readFileSync } from "node:fs";

const folder = new URL("../node_modules/", import.meta.url);
const text = (path) => readFileSync(new URL(path, folder), "utf8");

export const drivers = {
  Turbo: text("@hotwired/turbo/dist/turbo.es2017-umd.js"),
  htmx: `document.addEventListener("DOMContentLoaded", () => {
      for (const name of ["hx-boost", "hx-boost:inherited"]) document.body.setAttribute(name, "true");
    });
    ${text("htmx.org/dist/htmx.js")}; window.htmx = htmx;`,
};

// Does this from now on, in all pages of a visitor.
export async function drive({ context }, name) {
  // It acts like a script in the head, but the site's content security policy cannot forbid it.
  await context.addInitScript(`(() => {
    const start = () => { ${drivers[name]} };
    const observer = new MutationObserver(() => {
      if (!document.head) return;
      observer.disconnect();
      start();
    });
    observer.observe(document, { childList: true, subtree: true });
  })()`);
}

// Adds a link to the page and follows it.
export async function follow(page, path) {
  await page.evaluate((path) => {
    const link = Object.assign(document.createElement("a"), { href: path, id: "go", text: "go" });
    document.body.prepend(link);
    // htmx only processes links that exist when the page is loaded.
    window.htmx?.process(link);
  }, path);
  await page.locator("#go").click();
  await page.waitForURL(`**${path}`);
  await page.locator("#go").waitFor({ state: "detached" });
}
