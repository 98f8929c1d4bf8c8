// What a visitor's pages send and receive, and complain about.

import { boshUrl, prebindUrl } from "./settings.js";
import { terminate } from "./bosh.js";
import { until } from "./until.js";

export class Wire {
  /** Answers of the prebind endpoint, as they came: text. */
  prebinds = [];
  /** BOSH requests in the order in which they were sent: sid, rid, body, and when. */
  requests = [];
  /** BOSH answers in the order in which they came: text. */
  answers = [];
  /** Uncaught exceptions, and whatever the Content-Security-Policy did not allow. */
  complaints = [];
  #texts = [];
  #reading = new Set();

  constructor(context) {
    context.on("request", (request) => this.#sent(request));
    context.on("requestfinished", (request) => {
      const reading = this.#received(request).finally(() => this.#reading.delete(reading));
      this.#reading.add(reading);
    });
    context.on("weberror", (error) => this.complaints.push(String(error.error())));
    context.on("console", (message) => {
      if (/content security policy/i.test(message.text())) this.complaints.push(message.text());
    });
  }

  // The sessions that were used, oldest first.
  get sids() {
    return [...new Set(this.requests.map(({ sid }) => sid))];
  }

  // The last RID that was used in a session.
  lastRid(sid) {
    return Math.max(
      ...this.requests.filter((request) => request.sid === sid).map(({ rid }) => rid),
    );
  }

  // Until nothing is under way but the request that the server holds, so that the next RID is known.
  async quiet() {
    await until("no more requests", () => Date.now() - this.requests.at(-1).at > 1000);
  }

  // Everything that has gone over the wire so far, URLs and headers included.
  async everything() {
    while (this.#reading.size) await Promise.all(this.#reading);
    return this.#texts.join("\n");
  }

  // A browser that is closed does not sign out of the chat, and the next case has the same users.
  // Its last request may not have reached the server, which would then wait for it.
  async endSessions() {
    await this.everything();
    const last = this.sids.map((sid) => [sid, this.lastRid(sid)]);
    const rids = last.flatMap(([sid, rid]) => [rid, rid + 1].map((rid) => [sid, rid]));
    // A page may have gone before it used what it was given.
    const unused = this.prebinds.map(given).filter(({ sid }) => sid && !this.sids.includes(sid));
    rids.push(...unused.map(({ sid, rid }) => [sid, rid]));
    await Promise.all(rids.map(([sid, rid]) => terminate(boshUrl, sid, rid)));
  }

  #sent(request) {
    const body = request.postData() ?? "";
    this.#texts.push(request.url(), JSON.stringify(request.headers()), body);
    if (request.url() !== boshUrl || request.method() !== "POST") return;
    const [, sid] = /\bsid=['"]([^'"]*)/.exec(body);
    const [, rid] = /\brid=['"](\d+)/.exec(body);
    this.requests.push({ sid, rid: Number(rid), body, at: Date.now() });
  }

  async #received(request) {
    // Of a page that is gone there is nothing left, and a redirect has no body.
    const response = await request.response().catch(() => null);
    const headers = await response?.allHeaders().catch(() => undefined);
    const body = await response?.text().catch(() => undefined);
    this.#texts.push(JSON.stringify(headers), body);
    if (body === undefined) return;
    if (asksForSession(request)) this.prebinds.push(body);
    if (request.url() === boshUrl) this.answers.push(body);
  }
}

// The session in an answer of the prebind endpoint, which may be a refusal.
function given(answer) {
  try {
    return JSON.parse(answer) ?? {};
  } catch {
    return {};
  }
}

// A site may have the script of its pages at the same path.
export function asksForSession(request) {
  const [path] = request.url().split("?");
  return path === prebindUrl && request.resourceType() !== "script";
}
