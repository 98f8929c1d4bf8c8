import { test } from "node:test";
import assert from "node:assert/strict";
import { terminate } from "../lib/bosh.js";
import { useBrowser } from "../lib/browser.js";
import { signIn } from "../lib/page.js";
import { boshUrl, prebindUrl, users } from "../lib/settings.js";

const visit = useBrowser();
// As a page of the site asks.
const asked = { maxRedirects: 0, headers: { "Sec-Fetch-Site": "same-origin" } };

test("who has not signed in gets no session, and no login page instead of one", async () => {
  const { context } = await visit();
  const response = await context.request.get(prebindUrl, asked);
  assert.equal(response.status(), 401);
  checkHeaders(response);
  const answer = await response.json();
  for (const key of ["jid", "sid", "rid"]) assert.equal(answer[key], undefined);
});

test("every request gets a session of its own, for the user who is signed in", async () => {
  const { context, page } = await visit();
  await signIn(page, "alice");
  const sessions = [];
  for (let i = 0; i < 2; i++) {
    const response = await context.request.get(prebindUrl, asked);
    assert.equal(response.status(), 200);
    checkHeaders(response);
    sessions.push(await response.json());
  }
  for (const session of sessions) {
    assert.deepEqual(Object.keys(session).sort(), ["jid", "rid", "sid"]);
    assert.ok(session.jid.startsWith(`${users.alice.jid}/`), "a full JID");
    assert.ok(Number.isSafeInteger(Number(session.rid)));
    const answer = await terminate(boshUrl, session.sid, session.rid);
    assert.match(answer, /^<body[^>]*type=['"]terminate['"]/);
    assert.doesNotMatch(answer, /condition=/);
  }
  assert.notEqual(sessions[0].sid, sessions[1].sid);
  assert.notEqual(sessions[0].jid, sessions[1].jid);
});

function checkHeaders(response) {
  const headers = response.headers();
  assert.match(headers["content-type"], /^application\/json\b/);
  assert.match(headers["cache-control"], /\bno-store\b/);
  assert.match(headers.vary, /\bcookie\b/i);
  assert.equal(headers["x-content-type-options"], "nosniff");
}
