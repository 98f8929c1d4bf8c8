// Runs the cases of some files on a site that its environment tells, see settings.js. Their results go to
// PREBIND_RESULTS as JUnit XML, if that is set.
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
// Each in turn, because they are about the same users. A file of many cases takes minutes on a busy machine.
const cases = run({ files: process.argv.slice(2), concurrency: false, timeout: 1_500_000 });
cases.on("test:pass", ({ skip }) => (passed += skip === undefined ? 1 : 0));
cases.on("test:fail", () => failed++);
if (process.env.PREBIND_RESULTS) {
  const file = join(process.env.PREBIND_RESULTS, `browser-${serverKind}.xml`);
  cases.compose(junit).compose(withoutColours).pipe(createWriteStream(file));
}
for await (const text of cases.compose(new spec())) process.stdout.write(text);
if (failed || !passed) process.exitCode = 1;

// Playwright writes its errors in colours, whose control characters are not allowed in XML.
async function* withoutColours(texts) {
  for await (const text of texts) yield stripVTControlCharacters(text);
}
