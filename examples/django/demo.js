// Starts the site for two users who know each other, and tells how to sign in.
//
//     servers prosody -- node demo.js [--once PICTURE]
//
// With --once, two Chromiums sign in and talk; then it ends, and one of them is in the picture.

import { openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { people } from "../../tests/browser/lib/people.js";
import { befriend } from "../../tests/browser/lib/roster.js";
import { start } from "../../tests/browser/lib/site.js";

const { once } = parseArgs({ options: { once: { type: "string" } } }).values;
const [server] = Object.values(JSON.parse(process.env.PREBIND_SERVERS));
const { alice, bob } = people(server.accounts);
const log = fileURLToPath(new URL("../../target/demo/site.log", import.meta.url));

process.on("uncaughtException", (error) => {
  console.error(`demo: ${error.message}`);
  process.exit(1);
});

await befriend(server.http_url, alice, bob);
done(`Prosody runs at ${server.http_url}: alice and bob are each other's contacts`);

// However this process ends, the site ends with it.
const serve = fileURLToPath(new URL("serve", import.meta.url));
const output = openSync(log, "w");
const site = await start(
  `exec setpriv --pdeathsig TERM '${serve}'`,
  server,
  { alice, bob },
  { port: 8000, stdio: ["ignore", output, output] },
).catch((error) => {
  throw new Error(`${error.message}; see ${log}`);
});
done("the Django site runs");
console.log(`
    ${site.url}/

    sign in as   alice   password   ${alice.password}
    or as        bob     password   ${bob.password}
`);

if (once) {
  Object.assign(process.env, {
    SITE_URL: site.url,
    SITE_PREBIND: "/prebind",
    SITE_SERVER: "prosody",
  });
  const { tour } = await import("./tour.js");
  await tour(once, done);
  await site.stop();
} else {
  console.log(`In two windows of which one is private, they can talk. The site logs to ${log}.`);
  console.log("Ctrl-C ends it all.");
}

function done(text) {
  console.log(`${process.stdout.isTTY ? "\x1b[32m✓\x1b[0m" : "-"} ${text}`);
}
