// The HTML, as functions of the nonce.

import { randomUUID } from "node:crypto";

export function loginPage(message = "") {
  return () =>
    page(
      "Sign in",
      `<h1>Sign in</h1>
<p role="alert">${text(message)}</p>
<form method="post" action="/login">
  <p><label>User name <input name="username" autocomplete="username" required autofocus></label></p>
  <p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
  <p><button type="submit">Sign in</button></p>
</form>`,
    );
}

export function chatPage(name, jid, boshUrl) {
  const settings = {
    authentication: "prebind",
    // When Converse loses its session and asks again, it still has stanzas with the JID of the old
    // one to send, and ejabberd ends the new one for it, and so on. So a page keeps its resource.
    prebind_url: `/prebind?page=${randomUUID()}`,
    bosh_service_url: boshUrl,
    jid,
    auto_login: true,
    view_mode: "overlayed",
    assets_path: "/assets/converse/",
    sounds_path: "/assets/converse/sounds/",
  };
  return (nonce) =>
    page(
      "Chat",
      `<h1>Hello, ${text(name)}</h1>
<form method="post" action="/logout"><button id="logout">Sign out</button></form>
<script type="module" nonce="${nonce}" src="/assets/converse/converse.min.js"></script>
<script type="module" nonce="${nonce}">
  converse.initialize(${script(settings)});
</script>`,
      `<link rel="stylesheet" href="/assets/converse/converse.min.css">`,
    );
}

function page(title, body, head = "") {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${text(title)}</title>
<link rel="icon" href="/assets/converse/images/favicon.ico">
${head}
</head>
<body>
${body}
</body>
</html>
`;
}

function text(value) {
  return value.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}

// JSON inside a script element must not be able to end it.
function script(value) {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
