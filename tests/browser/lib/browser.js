// A real Chromium for the cases of a file, and visitors in it who know nothing of each other.

import { after, afterEach, before } from "node:test";
import { chromium } from "playwright-core";
import { Wire } from "./wire.js";

const args = [
  "--no-sandbox",
  "--disable-gpu",
  // Without these it asks the network for things of its own, and waits where there is none.
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
  // A page that a case has changed on its way counts as one from elsewhere, which may not ask this machine.
  "--disable-features=LocalNetworkAccessChecks",
];
const patience = 60_000;

// The headless shell, if there is one, unless the cases need a whole browser.
export function launch({ needsWhole = false, ...options } = {}) {
  const { CHROMIUM = "/usr/bin/chromium", CHROMIUM_HEADLESS_SHELL } = process.env;
  const executablePath = (!needsWhole && CHROMIUM_HEADLESS_SHELL) || CHROMIUM;
  return chromium.launch({ executablePath, args, ...options });
}

// Somebody with a browser of their own, as far as the site can see.
export async function visitor(browser, options = {}) {
  const viewport = { width: 1200, height: 800 };
  const context = await browser.newContext({ viewport, ...options });
  context.setDefaultTimeout(patience);
  return { context, wire: new Wire(context), page: await context.newPage() };
}

// To be called once in a file of cases: the result makes a visitor, who is gone after the case.
export function useBrowser(options = {}) {
  let browser;
  let visitors = [];

  before(async () => {
    browser = await launch(options);
  });

  afterEach(async () => {
    const leaving = visitors;
    visitors = [];
    for (const { context, wire } of leaving) {
      await context.close();
      await wire.endSessions();
    }
  });

  after(() => browser.close());

  return async function visit(options = {}) {
    const coming = await visitor(browser, options);
    visitors.push(coming);
    return coming;
  };
}
