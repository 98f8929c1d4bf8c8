// The lines for each client, as core/docs/clients.md tells them.

import { readFileSync } from "node:fs";
import { boshUrl, prebindUrl, users } from "./settings.js";

const guide = readFileSync(new URL("../../../core/docs/clients.md", import.meta.url), "utf8");

// Runs the lines of a section in a page, with the addresses of the tests instead of the examples.
// `names` are those of the lines' variables that the page is to keep.
export async function followGuide(page, section, names = []) {
  const lines = linesOf(section)
    // A test has loaded the package as a script.
    .replace(/^import .*$/gm, "")
    .replaceAll("/prebind", prebindUrl)
    .replaceAll("https://chat.example.org/http-bind", boshUrl)
    .replaceAll("alice@example.org", users.alice.jid);
  await page.evaluate(`(async () => { ${lines}\n Object.assign(window, { ${names} }); })()`);
}

function linesOf(section) {
  const [, text] = guide.split(`\n## ${section}\n`);
  return /```js\n(.*?)```/s.exec(text)[1];
}
