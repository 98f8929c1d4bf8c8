// The smallest site that keeps the contract of tests/browser/README.md: sign in, a page with the
// chat, sign out. It is told by SITE_PORT, SITE_BOSH_URL and SITE_USERS what to serve to whom.

import { createServer } from "node:http";
import { timingSafeEqual } from "node:crypto";
import { asset } from "./assets.js";
import { chatPage, loginPage } from "./pages.js";
import { answer, html, json, redirect } from "./answers.js";
import { prebind } from "./prebind.js";
import { close, open, userOf } from "./sessions.js";

const boshUrl = process.env.SITE_BOSH_URL;
const users = JSON.parse(process.env.SITE_USERS);

const routes = {
  "GET /": home,
  "GET /login": (request, response) => html(response, loginPage()),
  "POST /login": signIn,
  "POST /logout": signOut,
  "GET /prebind": session,
};

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://site");
  const route = routes[`${request.method} ${pathname}`] ?? asset(pathname);
  try {
    if (route) await route(request, response);
    else answer(response, 404, { "Content-Type": "text/plain" }, "not found\n");
  } catch (error) {
    console.error(error);
    answer(response, 500, { "Content-Type": "text/plain" }, "internal error\n");
  }
});
server.listen(Number(process.env.SITE_PORT), "127.0.0.1");

function home(request, response) {
  const name = userOf(request);
  if (!name) return redirect(response, "/login");
  html(response, chatPage(name, users[name].jid, boshUrl), boshUrl);
}

async function signIn(request, response) {
  const form = await formOf(request);
  const name = form.get("username") ?? "";
  const user = Object.hasOwn(users, name) ? users[name] : undefined;
  if (!user || !same(user.password, form.get("password") ?? "")) {
    return html(response, loginPage("Wrong user name or password."));
  }
  redirect(response, "/", { "Set-Cookie": open(name) });
}

// What Converse keeps in the browser, messages included, is not for the user who uses it next.
function signOut(request, response) {
  const headers = { "Set-Cookie": close(request), "Clear-Site-Data": '"storage"' };
  redirect(response, "/login", headers);
}

// What Converse.js asks for: never a redirect to the login page, and never an answer from a cache.
async function session(request, response) {
  const name = userOf(request);
  if (!name) return json(response, 401, { error: "not signed in" });
  const resource = new URL(request.url, "http://site").searchParams.get("page") ?? "";
  if (!/^[0-9a-f-]{0,36}$/.test(resource)) return json(response, 400, { error: "not a page" });
  const { jid, xmpp_password: password } = users[name];
  const opened = await prebind(boshUrl, resource ? `${jid}/${resource}` : jid, password);
  json(response, opened.status, opened.body, opened.headers);
}

async function formOf(request) {
  let body = "";
  for await (const chunk of request) body += chunk;
  return new URLSearchParams(body);
}

function same(left, right) {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
