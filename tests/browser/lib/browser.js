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
];
const patience = 20_000;

// To be called once in a file of cases: the result makes a visitor, who is gone after the case.
export function useBrowser() {
  let browser;
  let visitors = [];

  before(async () => {
    const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
    browser = await chromium.launch({ executablePath, args });
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
    const viewport = { width: 1200, height: 800 };
    const context = await browser.newContext({ viewport, ...options });
    context.setDefaultTimeout(patience);
    const visitor = { context, wire: new Wire(context), page: await context.newPage() };
    visitors.push(visitor);
    return visitor;
  };
}
