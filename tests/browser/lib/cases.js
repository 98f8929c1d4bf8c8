// Runs the cases of some files on a site that its environment tells, see settings.js.
//
//     node cases.js FILE…

import { run } from "node:test";
import { spec } from "node:test/reporters";
import { serverKind } from "./settings.js";

let passed = 0;
let failed = 0;
// Each in turn, for they are about the same users.
const cases = run({ files: process.argv.slice(2), concurrency: false, timeout: 120_000 });
cases.on("test:pass", ({ skip }) => (passed += skip === undefined ? 1 : 0));
cases.on("test:fail", () => failed++);
for await (const text of cases.compose(new spec())) process.stdout.write(text);
const result = failed || !passed ? "FAILED" : "ok";
console.log(`test result: ${result}. ${passed} passed; ${failed} failed; browser, ${serverKind}`);
if (result !== "ok") process.exitCode = 1;
