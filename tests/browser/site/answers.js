import { contentSecurityPolicy } from "./policy.js";
import { randomBytes } from "node:crypto";

const always = { "X-Content-Type-Options": "nosniff", Vary: "Cookie" };

export function answer(response, status, headers, body) {
  response.writeHead(status, { ...always, ...headers });
  response.end(body);
}

export function json(response, status, body, headers = {}) {
  const own = { "Content-Type": "application/json", "Cache-Control": "no-store" };
  answer(response, status, { ...own, ...headers }, JSON.stringify(body));
}

export function redirect(response, location, headers = {}) {
  answer(response, 303, { ...headers, Location: location });
}

// `page` makes the HTML of a nonce, which is good for this answer only.
export function html(response, page, boshUrl) {
  const nonce = randomBytes(16).toString("base64");
  const headers = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": contentSecurityPolicy(nonce, boshUrl),
  };
  answer(response, 200, headers, page(nonce));
}
