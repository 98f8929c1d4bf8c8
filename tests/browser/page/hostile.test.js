// What users write on a page is never what chat.js goes by.

import assert from "node:assert/strict";
import { test, useBrowser } from "../lib/browser.js";
import { online, say, signIn, signOut } from "../lib/page.js";
import { serveChanged, withContent, withContentAtEnd } from "../lib/served.js";
import { siteUrl, users } from "../lib/settings.js";

const visit = useBrowser();
const foreign = "http://evil.example/";
const settings = JSON.stringify({
  jid: users.alice.jid,
  prebind_url: `${foreign}prebind`,
  bosh_service_url: `${foreign}bosh`,
  assets_path: foreign,
});

// Of the right addresses, so that only its place tells it from ours.
const likeOurs = (html) => {
  const [, ours] = /<script[^>]*id="prebind-converse"[^>]*>(.*?)<\/script>/s.exec(html);
  // Without a place on the page there is no chat.
  const settings = { ...JSON.parse(ours), auto_insert: false };
  return `<script type="application/json" id="prebind-converse">${JSON.stringify(settings)}</script>`;
};

const texts = {
  "a heading": `<h2 id="prebind-converse">${settings}</h2>`,
  "two of them": `<p id="prebind-converse">null</p><p id="prebind-converse">${settings}</p>`,
  "a data block": `<script type="application/json" id="prebind-converse">${settings}</script>`,
  "a data block of the right addresses": likeOurs,
  "a form with our names": `<form id="prebind-converse" name="documentElement" data-prebind="jid=mallory">
    <input name="submit"><input name="getAttribute"><input name="matches">${settings}</form>`,
  "links, objects and frames with our names": ["a", "object", "embed", "iframe"]
    .map((name) => `<${name} id="prebind-converse" name="prebind">${settings}</${name}>`)
    .join(""),
  "a drawing and a template": `<svg id="prebind-converse"><script>${settings}</script></svg>
    <template><script id="prebind-converse" type="application/json">${settings}</script></template>`,
  "a policy and a base that it may not have": `<base href="${foreign}">
    <meta http-equiv="Content-Security-Policy" content="script-src ${foreign}">`,
  "names of the document's own": [
    "querySelectorAll",
    "currentScript",
    "documentElement",
    "prerendering",
  ]
    .map((name) => `<img name="${name}"><form name="${name}"></form>`)
    .join(""),
  "names of the window's": ["converse", "prebind", "Pace", "trustedTypes"]
    .map((name) => `<a id="${name}"></a><a id="${name}" name="plugins" href="${foreign}"></a>`)
    .join(""),
  "a script that the policy stops": `<script defer src="/no-such-script" data-prebind="converse=${foreign}"></script>`,
};

for (const [what, text] of Object.entries(texts)) {
  test(`${what} in a user's text loads nothing`, async () => {
    const { page } = await visit();
    const foreigners = [];
    await page.route(`${foreign}**`, (route) => {
      foreigners.push(route.request().url());
      return route.fulfill({ contentType: "text/javascript", body: "window.isOwned = true" });
    });
    await serveChanged(page, `${siteUrl}/?hostile`, (html, headers) => {
      // The policy that lets a trusted script load any other.
      headers["content-security-policy"] = headers["content-security-policy"].replace(
        "script-src ",
        "script-src 'strict-dynamic' ",
      );
      return withContent(html, typeof text === "function" ? text(html) : text);
    });
    await signIn(page, "alice");
    await page.goto(`${siteUrl}/?hostile`);
    await online(page, "alice");
    assert.deepEqual(foreigners, []);
    assert.equal(await page.evaluate(() => window.isOwned), undefined);
    await signOut(page);
  });
}

test("a base at the end of a page leads nowhere", async () => {
  const { page } = await visit();
  const foreigners = [];
  await page.route(`${foreign}**`, (route) => {
    foreigners.push(route.request().url());
    return route.abort();
  });
  await serveChanged(page, `${siteUrl}/?base`, (html, headers) => {
    const name = "content-security-policy";
    headers[name] = headers[name].replace(/base-uri [^;]*;?/, "");
    return withContentAtEnd(html, `<base href="${foreign}">`);
  });
  await signIn(page, "alice");
  await page.goto(`${siteUrl}/?base`);
  await online(page, "alice");
  await say(page, "bob", "where are we?");
  assert.equal(await page.evaluate(() => document.baseURI), foreign);
  assert.deepEqual(foreigners, []);
});

test("nothing is against a policy of Trusted Types", async () => {
  const { page, wire } = await visit();
  await serveChanged(page, `${siteUrl}/?trusted`, (html, headers) => {
    headers["content-security-policy"] += "; require-trusted-types-for 'script'";
    return html;
  });
  await signIn(page, "alice");
  await page.goto(`${siteUrl}/?trusted`);
  await online(page, "alice");
  await say(page, "bob", "not <b>bold</b>");
  assert.deepEqual(wire.complaints, []);
  const stopped = page.evaluate(() => (document.createElement("div").innerHTML = "<b></b>"));
  await assert.rejects(stopped, /TrustedHTML/, "any other script is stopped");
});
