// The site and the server to test, as `run` has set them.

import { people } from "./people.js";

const { SITE_URL, SITE_PREBIND, SITE_SERVER, SITE_AUTH, PREBIND_SERVERS } = process.env;
if (!SITE_URL || !SITE_PREBIND || !SITE_SERVER || !PREBIND_SERVERS) {
  throw new Error("run the cases with tests/browser/run");
}

export const siteUrl = SITE_URL.replace(/\/$/, "");
export const prebindUrl = siteUrl + SITE_PREBIND;
export const serverKind = SITE_SERVER;
export const auth = SITE_AUTH;
const server = JSON.parse(PREBIND_SERVERS)[serverKind];
export const boshUrl = server.http_url;
export const users = people(server.accounts);
