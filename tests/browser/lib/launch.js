// Starts a Chromium.

import { chromium } from "playwright-core";

const args = [
  "--no-sandbox",
  "--disable-gpu",
  // Without these, Chromium makes its own requests to the network, and waits if there is no network.
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
  // Chromium takes a page that a case has changed on the way as a page from elsewhere, which may not make
  // requests to this machine.
  "--disable-features=LocalNetworkAccessChecks",
];

// Starts the headless shell if there is one, unless the cases need a whole browser.
export function launch({ needsWhole = false, ...options } = {}) {
  const { CHROMIUM = "/usr/bin/chromium", CHROMIUM_HEADLESS_SHELL } = process.env;
  const executablePath = (!needsWhole && CHROMIUM_HEADLESS_SHELL) || CHROMIUM;
  return chromium.launch({ executablePath, args, ...options });
}
