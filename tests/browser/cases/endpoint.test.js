import assert from "node:assert/strict";
import { terminate } from "../lib/bosh.js";
import { test, useBrowser } from "../lib/browser.js";
import { signIn } from "../lib/page.js";
import { boshUrl, prebindUrl, siteUrl, users } from "../lib/settings.js";

const visit = useBrowser();

test("who has not signed in gets no session, and no login page instead of one", async () => {
  const { page } = await visit();
  await page.goto(`${siteUrl}/login`);
  const { status, headers, answer } = await ask(page);
  assert.equal(status, 401);
  checkHeaders(headers);
  for (const key of ["jid", "sid", "rid"]) assert.equal(answer[key], undefined);
});

test("every request gets a session of its own, for the user who is signed in", async () => {
  const { page } = await visit();
  await signIn(page, "alice");
  const sessions = [];
  for (let i = 0; i < 2; i++) {
    const { status, headers, answer } = await ask(page);
    assert.equal(status, 200);
    checkHeaders(headers);
    sessions.push(answer);
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

// As a script of the page's would; a site may refuse who is none.
function ask(page) {
  return page.evaluate(async (url) => {
    const response = await fetch(url, { redirect: "manual" });
    const headers = Object.fromEntries(response.headers);
    return { status: response.status, headers, answer: await response.json() };
  }, prebindUrl);
}

function checkHeaders(headers) {
  assert.match(headers["content-type"], /^application\/json\b/);
  assert.match(headers["cache-control"], /\bno-store\b/);
  assert.match(headers.vary, /\bcookie\b/i);
  assert.equal(headers["x-content-type-options"], "nosniff");
}
