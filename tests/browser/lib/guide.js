// The lines for each client from the guide core/docs/clients.md.

import { readFileSync } from "node:fs";
import { boshUrl, prebindUrl, users } from "./settings.js";

const guide = readFileSync(new URL("../../../core/docs/clients.md", import.meta.url), "utf8");

// Runs the lines of a section in a page, with the tests' addresses instead of those of the examples. `names`
// are the variables of the lines that the page keeps.
export async function followGuide(page, section, names = []) {
  const lines = linesOf(section)
    // The import is dropped, because the test has loaded the package as a script.
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
