import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test, useBrowser } from "../lib/browser.js";
import { answered, assertAttached, attach, clientPage } from "../lib/client-page.js";
import { shortlyOpened } from "../lib/short.js";

const visit = useBrowser();
const { JSXC: dist } = process.env;
const skip = !dist && "JSXC is in no registry: name the folder of its dist in JSXC";

test("JSXC attaches", { skip }, async () => {
  const library = readFileSync(join(dist, "jsxc.bundle.js"), "utf8");
  const attached = async () => {
    const visitor = await clientPage(visit, library);
    await attach(visitor, "JSXC");
    return visitor;
  };
  const visitor = await shortlyOpened(attached, answered);
  assertAttached(visitor);
});
