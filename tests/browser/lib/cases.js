// Runs the cases of these files on the site that the environment names, see settings.js. If PREBIND_RESULTS
// is set, the results go there as JUnit XML.
//
//     node cases.js FILE…

import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { junit, spec } from "node:test/reporters";
import { stripVTControlCharacters } from "node:util";
import { serverKind } from "./settings.js";

let passed = 0;
let failed = 0;
// The files run one after the other, because they use the same users. A file of many cases takes minutes on a
// busy machine.
const cases = run({ files: process.argv.slice(2), concurrency: false, timeout: 1_500_000 });
cases.on("test:pass", ({ skip }) => (passed += skip === undefined ? 1 : 0));
cases.on("test:fail", () => failed++);
if (process.env.PREBIND_RESULTS) {
  const file = join(process.env.PREBIND_RESULTS, `browser-${serverKind}.xml`);
  cases.compose(junit).compose(withoutColours).pipe(createWriteStream(file));
}
for await (const text of cases.compose(new spec())) process.stdout.write(text);
if (failed || !passed) process.exitCode = 1;

// Playwright colours its errors by control characters, which XML does not allow.
async function* withoutColours(texts) {
  for await (const text of texts) yield stripVTControlCharacters(text);
}
