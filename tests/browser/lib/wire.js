// Records what a visitor's pages send, receive and report as errors.

import { boshUrl, prebindUrl } from "./settings.js";
import { terminate } from "./bosh.js";
import { until } from "./until.js";

const wires = new WeakMap();

export class Wire {
  /** The sessions that the prebind endpoint has returned, as text. */
  prebinds = [];
  /** How many round trips each of these sessions took. NaN if the site does not say. */
  roundTrips = [];
  /** The other answers of the endpoint: on a busy machine a login may take longer than a site waits. */
  refusals = [];
  /** The BOSH requests in the order in which they were sent: sid, rid, body, time, and whether they are over. */
  requests = [];
  /** Uncaught exceptions, and everything that the Content-Security-Policy did not allow. */
  complaints = [];
  #answers = [];
  #bosh = new WeakMap();
  #texts = [];
  #reading = new Set();

  static of(page) {
    return wires.get(page.context());
  }

  constructor(context) {
    wires.set(context, this);
    context.on("request", (request) => this.#sent(request));
    context.on("requestfailed", (request) => this.#ended(request));
    context.on("requestfinished", (request) => {
      this.#ended(request);
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

  // The BOSH answers in the order in which they came, as text. answersOf has those of one session.
  get answers() {
    return this.#answers.map(({ body }) => body);
  }

  answersOf(sid) {
    return this.#answers.filter((answer) => answer.sid === sid).map(({ body }) => body);
  }

  // Whether the server knows that the user is online in the newest session. Before that, the user gets no
  // messages.
  isPresent() {
    const sid = this.sids.at(-1);
    const isPresence = ({ body }) => body.includes("<presence");
    // The answers to a page that is gone cannot be read, so a request that is over counts.
    const over = this.requests.filter((request) => request.sid === sid && request.isOver);
    return over.some(isPresence) || this.#answers.some((it) => it.sid === sid && isPresence(it));
  }

  // The last RID that was used in a session.
  lastRid(sid) {
    return Math.max(
      ...this.requests.filter((request) => request.sid === sid).map(({ rid }) => rid),
    );
  }

  // All requests with their session, seconds, RID, stanzas, and the stanzas of the answer.
  story() {
    const start = this.requests[0]?.at;
    const told = this.requests.map(({ sid, rid, body, at, isOver }) => {
      const answer = this.#answers.find((it) => it.sid === sid && it.rid === rid);
      const got = answer ? stanzasIn(answer.body) : isOver ? "over" : "open";
      return `${this.sids.indexOf(sid)}: ${Math.round(at - start) / 1000} s, ${rid}: ${stanzasIn(body)} -> ${got}`;
    });
    const asked = `${this.prebinds.length} prebound`;
    return [asked, ...this.refusals, ...told, ...this.complaints].join("\n");
  }

  // Waits until only the request that the server holds is under way, so that the next RID is known. A page
  // without an open request is busy and will send one, unless it has ended its session.
  async quiet(milliseconds = 1000) {
    const isQuiet = () => {
      const last = this.requests.at(-1);
      const isHeld = isEnd(last) || this.requests.some((request) => !request.isOver);
      return isHeld && performance.now() - last.at > milliseconds;
    };
    await until("no more requests", isQuiet);
  }

  // Everything that was sent and received so far, including URLs and headers.
  async everything() {
    while (this.#reading.size) await Promise.all(this.#reading);
    return this.#texts.join("\n");
  }

  // Ends all sessions, because a browser that is closed does not sign out of the chat, and the next case has
  // the same users. Requests without an answer may not have reached the server, which would then wait for the
  // first of them.
  async endSessions() {
    await this.everything();
    const ends = this.sids.flatMap((sid) => this.#openRids(sid).map((rid) => [sid, rid]));
    // A page may be gone before it has used its session.
    const unused = this.prebinds.map(given).filter(({ sid }) => !this.sids.includes(sid));
    ends.push(...unused.map(({ sid, rid }) => [sid, rid]));
    // A server may hold a request with a RID that it has already seen, so this does not insist on an answer.
    const end = ([sid, rid]) =>
      terminate(boshUrl, sid, rid, AbortSignal.timeout(10_000)).catch(() => "");
    await Promise.all(ends.map(end));
  }

  // The RIDs that the server may expect next in a session, as far as the browser can tell.
  #openRids(sid) {
    const answered = this.#answers.filter((answer) => answer.sid === sid).map(({ rid }) => rid);
    const rids = this.requests.filter((request) => request.sid === sid).map(({ rid }) => rid);
    const open = rids.filter((rid) => !answered.includes(rid));
    return [...new Set([...open, Math.max(...rids) + 1])];
  }

  #sent(request) {
    const body = request.postData() ?? "";
    this.#texts.push(request.url(), JSON.stringify(request.headers()), body);
    const frame = frameOf(request);
    // A page that the user leaves may not report how its requests end.
    const left = request.isNavigationRequest() ? this.requests : [];
    for (const sent of left) sent.isOver ||= sent.frame === frame;
    if (request.url() !== boshUrl || request.method() !== "POST") return;
    const sent = {
      sid: sidIn(body),
      rid: ridIn(body),
      body,
      at: performance.now(),
      frame,
      isOver: false,
    };
    this.#bosh.set(request, sent);
    this.requests.push(sent);
  }

  #ended(request) {
    const sent = this.#bosh.get(request);
    if (sent) sent.isOver = true;
  }

  async #received(request) {
    // Nothing can be read for a page that is gone, and a redirect has no body.
    const response = await request.response().catch(() => null);
    const headers = await response?.allHeaders().catch(() => undefined);
    const body = await response?.text().catch(() => undefined);
    this.#texts.push(JSON.stringify(headers), body);
    if (body === undefined) return;
    if (asksForSession(request) && given(body).sid) {
      this.prebinds.push(body);
      this.roundTrips.push(Number(headers?.["x-round-trips"]));
    } else if (asksForSession(request)) {
      this.refusals.push(body);
    }
    const sent = this.#bosh.get(request);
    if (sent) this.#answers.push({ sid: sent.sid, rid: sent.rid, body });
  }
}

// The frame of a request. A page that was only just opened has no frame yet.
function frameOf(request) {
  try {
    return request.frame();
  } catch {
    return undefined;
  }
}

// The session that a BOSH request belongs to.
function sidIn(body) {
  return /\bsid=['"]([^'"]*)/.exec(body)?.[1];
}

function isEnd({ body }) {
  return /type=['"]terminate['"]/.test(body);
}

// The names of the elements in the body of a request or an answer.
function stanzasIn(body) {
  const [, ...names] = [...body.matchAll(/<([\w:]+)/g)].map(([, name]) => name);
  const end = isEnd({ body }) ? ["terminate"] : [];
  return [...end, ...names].join(" ") || "nothing";
}

function ridIn(body) {
  return Number(/\brid=['"](\d+)/.exec(body)?.[1]);
}

// The session in an answer of the prebind endpoint, which may also be a refusal.
function given(answer) {
  try {
    return JSON.parse(answer) ?? {};
  } catch {
    return {};
  }
}

// Whether a request asks for a session. A site may serve the script of its pages at the same path.
export function asksForSession(request) {
  const [path] = request.url().split("?");
  return path === prebindUrl && request.resourceType() !== "script";
}
