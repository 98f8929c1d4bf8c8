import { test, useBrowser } from "../lib/browser.js";
import { answered, assertAttached, attach, clientPage, installed } from "../lib/client-page.js";
import { shortlyOpened } from "../lib/short.js";
import { until } from "../lib/until.js";

const visit = useBrowser();
const { version, library } = installed("lib-jitsi-meet", "dist/lib-jitsi-meet.min.js");
// What it expects as globals.
const globals = [
  installed("jquery", "dist/jquery.js"),
  installed("strophe3", "dist/strophe.umd.js"),
  installed("strophejs-plugin-disco", "lib/strophe.disco.js"),
  installed("strophejs-plugin-caps", "lib/strophe.caps.js"),
];

test(`lib-jitsi-meet ${version} attaches with the RID that was used last`, async () => {
  const attached = async () => {
    const visitor = await clientPage(visit, ...globals.map(({ library }) => library), library);
    await attach(visitor, "lib-jitsi-meet");
    return visitor;
  };
  const visitor = await shortlyOpened(attached, answered);
  // The first answer may be what was left of the login.
  const { wire, session } = visitor;
  await until("another one is there", () => wire.answersOf(session.sid).length > 1);
  assertAttached(visitor);
});
