// A real Chromium for the cases of a file, with visitors who share no cookies or storage.

import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test as runOnce } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { launch } from "./launch.js";
import { Peer } from "./peer.js";
import { Wire } from "./wire.js";

const patience = 60_000;

// A visitor. The site sees each visitor as a separate browser.
export async function visitor(browser, options = {}) {
  const viewport = { width: 1200, height: 800 };
  const context = await browser.newContext({ viewport, ...options });
  context.setDefaultTimeout(patience);
  return { context, wire: new Wire(context), page: await context.newPage() };
}

// The browser of the file's cases, its present visitors, and whether a case may still be tried a second time.
let browser;
let visitors = [];
let maySecondTry = true;

// Call this once in a file of cases. It returns a function that makes a visitor, who leaves after the case.
export function useBrowser(options = {}) {
  before(async () => {
    browser = await launch(options);
  });

  after(() => browser.close());

  return async function visit(options = {}) {
    const coming = await visitor(browser, options);
    visitors.push(coming);
    return coming;
  };
}

// Defines a case. On two processors that a dozen servers share, a browser sometimes takes longer than a page
// allows. So one case of a file may fail once: it starts again with new visitors, and the output of the whole
// run says why. A case that fails again has failed.
export function test(name, ...rest) {
  const body = rest.pop();
  runOnce(name, ...rest, async (t) => {
    const reason = await failureOf(body, t);
    if (!reason) return;
    if (!maySecondTry) throw reason;
    maySecondTry = false;
    noteSecondTry(name, reason);
    const again = await failureOf(body, t);
    if (again) throw again;
  });
}

// Why a case failed, with everything that its visitors' pages sent and received. undefined if it passed.
async function failureOf(body, t) {
  try {
    await body(t);
    return undefined;
  } catch (error) {
    const stories = visitors.map(({ wire }) => wire.story());
    return new Error([error.message, ...stories].join("\n"), { cause: error });
  } finally {
    await leave();
  }
}

async function leave() {
  const leaving = visitors;
  visitors = [];
  await Peer.allLeave();
  for (const { context, wire } of leaving) {
    await context.close();
    await wire.endSessions();
  }
}

function noteSecondTry(name, { message }) {
  const note = `second try of ${name}: ${stripVTControlCharacters(message)}\n`;
  process.stderr.write(note);
  const { PREBIND_RESULTS: results } = process.env;
  if (results) appendFileSync(join(results, "second-tries"), note);
}
