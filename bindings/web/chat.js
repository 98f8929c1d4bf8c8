// Runs the chat of the user whose page this is, and of nobody else. The packages of all languages share this file.
//
// The script trusts only its own element, which has the user's JID and the addresses to use. The element
// #prebind-converse has the settings of Converse.js. The script ignores it if its JID or addresses differ.
//
// A form with the attribute data-prebind-sign-out ends the chat and removes its data before the form is sent.
// Pages with another client than Converse.js use `prebind.session()`, `prebind.signOut()` and
// `prebind.leave`.

(() => {
  "use strict";

  /**
   * Decides when a tab may ask for its next session, in seconds. It prevents a storm of requests when a chat
   * server restarts, when the browser cannot reach it, or when the site is down. A `Pace` knows neither a
   * clock nor a page.
   */
  class Pace {
    /** The longest pause after one failure, after two, and so on. Half of it is the shortest. */
    static growing = [2, 10, 30, 90, 300];
    /** When a chat server restarts, all tabs lose their sessions at once. They ask for new ones spread over this time. */
    static spread = 62;
    /** A session that was used for this long shows that nothing is wrong. */
    static steady = 60;

    #random;
    #lost = 0; // sessions in a row that did not last
    #refused = 0; // refusals in a row
    #isOpen = false;
    #usedSince;

    constructor(random = Math.random) {
      this.#random = random;
    }

    /** A session is open. It may still turn out that the chat server does not answer the browser. */
    opened() {
      this.#isOpen = true;
      this.#usedSince = undefined;
      this.#refused = 0;
    }

    /** The chat server has answered in this session. */
    used(now) {
      this.#usedSince ??= now;
    }

    /** The page has given up its session by itself, so it may ask for the next one at once. */
    left() {
      this.#isOpen = false;
    }

    get isUsed() {
      return this.#usedSince !== undefined;
    }

    /** How long to wait before asking the site for a session in place of the last one. */
    pause(now) {
      if (!this.#isOpen) return 0;
      this.#isOpen = false;
      const wasSteady = this.isUsed && now - this.#usedSince >= Pace.steady;
      this.#lost = wasSteady ? 0 : this.#lost + 1;
      if (!this.isUsed) return this.#grown(this.#lost);
      return Math.max(this.#random() * Pace.spread, this.#lost > 1 ? this.#grown(this.#lost) : 0);
    }

    /** How long to wait before asking the site again after a refusal. undefined if asking again is useless. */
    pauseAfterRefusal(retry, retryAfter = 0) {
      this.#refused++;
      if (retry === "fresh-session" && this.#refused === 1) return 0;
      if (retry !== "later" && retry !== "fresh-session") return undefined;
      return retryAfter + this.#grown(this.#refused);
    }

    #grown(failures) {
      const longest = Pace.growing[Math.min(failures, Pace.growing.length) - 1];
      return (longest / 2) * (1 + this.#random());
    }
  }

  /** The time in the header Retry-After, in seconds. The header has a number of seconds, or a date. */
  function secondsOf(retryAfter, now = Date.now()) {
    const seconds = Number(retryAfter ?? 0);
    const given = Number.isNaN(seconds) ? (Date.parse(retryAfter) - now) / 1000 : seconds;
    return Math.min(Math.max(given || 0, 0), 24 * 3600);
  }

  const own = globalThis.document && fromDocument("currentScript");
  const served = new URLSearchParams(own?.dataset.prebind);
  const owner = served.get("jid") ?? "";
  const endpoint = served.get("prebind_url") ?? "";

  // Sites that share an origin share its storage, so the endpoint is a part of each name.
  const channelName = `prebind ${endpoint}`;
  const ownerOf = (site) => `prebind.owner ${site}`; // whose chat data this tab, and this browser, keeps
  const ownerKey = ownerOf(endpoint);
  const openKey = `prebind.open ${endpoint}`; // this tab has a page open
  const pageKey = `prebind.page ${endpoint}`; // the name of this tab's page
  const againKey = `prebind.again ${endpoint}`; // when the page was last loaded again
  const presentKey = `prebind.present ${endpoint}`; // the server has announced the user in this tab's session

  // How long signing out may wait for the chat server and the database, in milliseconds.
  const patience = 2000;

  const pace = new Pace();
  let ready; // a session that is not used yet
  let namedPage; // the page's name, also in a browser without storage
  let unreached; // the HTTP status with which the chat server refused the browser; 0 means no answer
  let hasComplained = false; // reset for each page
  let isLeaving = false;
  let leavingBy; // the form with which the user is signing out
  let tabs;
  let converseRoot; // the element of Converse.js, if it is ours
  let converseApi;
  let connectionOf; // the connection that Converse.js has now

  const parts = { session, signOut, leave: async () => converseApi?.user.logout() };

  // Without a page, only the timing is available, for a test.
  if (globalThis.document) run();
  else globalThis.prebind = { Pace, secondsOf };

  function run() {
    const mark = Symbol.for("prebind");
    // A page may have the script twice, or get it again without being loaded, see `follow`.
    if (globalThis[mark]) return;
    globalThis[mark] = true;
    Object.defineProperty(globalThis, "prebind", { value: parts });
    if (served.has("converse")) prepare(address(served.get("converse")));
    addEventListener("submit", endBeforeSignOut);
    // One session cannot serve two documents, so a frame leaves the chat to the page around it.
    if (globalThis.top === globalThis) begin().catch((error) => tell(`no chat: ${error.message}`));
  }

  async function begin() {
    if (!endpoint) return tell("no chat: the script's own element has no data-prebind");
    // The browser may prerender a page that the user never opens. The site refuses a session for it.
    if (fromDocument("prerendering")) {
      await new Promise((resolve) => addEventListener("prerenderingchange", resolve, true));
    }
    addEventListener("pagehide", rest);
    addEventListener("pageshow", wake);
    follow();
    if (isFromCache() && isOutdated()) return loadAgain();
    listen();
    if (!(await takeOver()) || !owner) return;
    const settings = settingsOfPage();
    if (!settings)
      return tell("no chat: no element #prebind-converse agrees with the script's own");
    await start(settings);
  }

  // ---- Whose chat it is

  // Makes the page's user the owner of this tab and browser. Returns false if a cache has served another
  // user's page.
  async function takeOver() {
    // A tab that is a copy of another open tab must not share that tab's session.
    const isCopy = read("sessionStorage", openKey) !== null;
    const isOther = isCopy || read("sessionStorage", ownerKey) !== owner;
    if (isOther) write("sessionStorage", pageKey, null);
    const isNew = isOutdated() || (!owner && hasTraces());
    if (isNew && hasTraces() && !(await isConfirmed())) return false;
    if (isOther) forgetTab();
    if (isNew) await within(performance.now() + patience, passTo(owner));
    // In some view modes, Converse.js creates its database again after signing out.
    else if (!owner && !isShared()) await within(performance.now() + patience, forgetDatabase());
    write("sessionStorage", ownerKey, owner);
    write("sessionStorage", openKey, "open");
    return true;
  }

  // Asks the site whether the page belongs to the signed-in user. The cookie decides that, not the page.
  async function isConfirmed() {
    if (!owner) return isNobodys();
    ready = await session().catch(() => undefined);
    return ready !== undefined;
  }

  async function isNobodys() {
    return ["NotLoggedIn", "NoChat", "Config"].includes((await ask({ jid: "" })).kind);
  }

  function isOutdated() {
    return (read("localStorage", ownerKey) ?? "") !== owner;
  }

  function hasTraces() {
    const isTrace = (key) => key === ownerKey || (isClients(key) && !isShared());
    return keysOf("localStorage").some(isTrace);
  }

  // Whether another site of this origin has a chat open. The client's stored data may belong to that site.
  function isShared() {
    return keysOf("localStorage").some((key) => key.startsWith(ownerOf("")) && key !== ownerKey);
  }

  function isFromCache() {
    const [page] = performance.getEntriesByType("navigation");
    return page?.type === "back_forward" && page.transferSize === 0;
  }

  // Loads the page again. `reload` would send a form again if the page is the answer to one. This happens at
  // most once a minute, unless the user has acted, because it may not help.
  function loadAgain() {
    // This is negative if the clock was set back.
    const ago = Date.now() - Number(read("sessionStorage", againKey));
    const isAsked = navigator.userActivation?.hasBeenActive;
    if (!isAsked && ago >= 0 && ago < 60_000)
      return tell("this page is not that of the user who is signed in");
    write("sessionStorage", againKey, String(Date.now()));
    const url = new URL(location.href);
    url.hash = "";
    location.replace(url);
  }

  function listen() {
    tabs = new BroadcastChannel(channelName);
    tabs.addEventListener("message", async ({ data }) => {
      if (data === owner) return;
      isLeaving = true;
      await leave();
      forgetTab();
    });
  }

  // Passes the chat of this browser, in all tabs, to another user or to nobody.
  async function passTo(next) {
    write("localStorage", ownerKey, next || null);
    forget("localStorage");
    announce(next);
    await forgetDatabase();
  }

  function forgetDatabase() {
    return new Promise((resolve) => {
      const deletion = indexedDB.deleteDatabase("converse-persistent");
      deletion.onsuccess = deletion.onerror = deletion.onblocked = resolve;
    });
  }

  function announce(next) {
    (tabs ?? new BroadcastChannel(channelName)).postMessage(next);
  }

  // ---- Sessions

  /** Returns a fresh session, `{jid, sid, rid}`, as soon as the pace allows. Fails if the site gives none. */
  async function session() {
    const pause = pace.pause(seconds());
    if (pause > 2) show("away");
    await sleep(pause);
    for (;;) {
      if (isLeaving) throw new Error("the user has signed out");
      const answer = await ask({ page: pageName(), jid: owner, unreached });
      unreached = undefined;
      if (answer.sid) {
        pace.opened();
        // With Converse.js, `watch` shows the chat as on once the chat server answers.
        if (!converseApi) show("on");
        return answer;
      }
      if (["NotLoggedIn", "OtherUser", "NoChat"].includes(answer.kind)) loadAgain();
      const pause = pace.pauseAfterRefusal(answer.retry, answer.retryAfter);
      if (pause === undefined) {
        show(answer.kind === "SignInAgain" ? "sign-in" : "off");
        throw new Error(`the site refuses a session (${answer.kind})`);
      }
      show("away");
      await sleep(pause);
    }
  }

  // The site's answer: a session, or the kind of the failure and whether a retry may help.
  async function ask(parameters) {
    const url = new URL(address(endpoint));
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const headers = { Accept: "application/json" };
    const options = { headers, cache: "no-store", redirect: "manual" };
    const response = await fetch(url, options).catch(() => undefined);
    const content = await response?.json().catch(() => undefined);
    const isAway = !response || response.status === 429 || response.status >= 500;
    // A redirect, for example to a login page, has no status here.
    const assumed = {
      kind: `HTTP ${response?.status || "redirect"}`,
      retry: isAway ? "later" : "no",
    };
    return { ...assumed, ...content, retryAfter: secondsOf(response?.headers.get("Retry-After")) };
  }

  // The page's name becomes the resource of its sessions, so a page that lost its session keeps its JID.
  // `randomUUID` cannot be used, because browsers have it only on https.
  function pageName() {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    const made = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    namedPage ??= read("sessionStorage", pageKey) ?? made;
    write("sessionStorage", pageKey, namedPage);
    return namedPage;
  }

  // ---- Converse.js

  // The page's settings of Converse.js. A user's text may contain an element with the same id. The real one
  // comes directly before the script, unless something has moved it. Its addresses must match in any case.
  function settingsOfPage() {
    const found = all('script#prebind-converse[type="application/json"]');
    const ours = found.filter((element) => element.nextElementSibling === own);
    const names = ["jid", "prebind_url", "bosh_service_url", "assets_path"];
    for (const { textContent } of [...ours, ...found]) {
      const settings = parsed(textContent);
      if (settings && names.every((name) => (settings[name] ?? null) === served.get(name)))
        return settings;
    }
    return undefined;
  }

  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }

  async function start(settings) {
    const converse = await library();
    settle(settings);
    converse.plugins.add("prebind", {
      initialize() {
        attachTo(this._converse);
      },
    });
    await converse.initialize({
      ...settings,
      // Converse.js 10 and older would invent a resource and send it as `from`, for which ejabberd ends the
      // session.
      jid: `${owner}/${pageName()}`,
      prebind_url: address(endpoint),
      bosh_service_url: address(settings.bosh_service_url),
      ...(settings.assets_path && { assets_path: address(settings.assets_path) }),
      whitelisted_plugins: [...(settings.whitelisted_plugins ?? []), "prebind"],
    });
  }

  // Converse.js extends the object that it finds under its name, and a user's element may have that name.
  function prepare(library) {
    if (!isThere()) globalThis.converse = {};
    trust(library);
  }

  // A Trusted Types policy blocks the HTML that Converse.js writes. This allows HTML from Converse.js's own
  // files only.
  function trust(library) {
    const folder = library.slice(0, library.lastIndexOf("/") + 1);
    const createHTML = (text) => {
      const lines = new Error().stack.split("\n");
      const caller = lines.find((line) => line.includes("://") && !line.includes(own.src));
      return caller?.includes(folder) ? text : null;
    };
    try {
      globalThis.trustedTypes?.createPolicy("default", { createHTML });
    } catch {
      // The site has its own default policy, or allows none.
    }
  }

  // Converse.js from the known address, or the one that the site loads.
  async function library() {
    if (served.has("converse")) {
      const { default: converse } = await import(address(served.get("converse")));
      // Converse.js 12 and older are scripts that set a name.
      if (converse) return converse;
    }
    if (!isThere()) await new Promise((resolve) => addEventListener("converse-loaded", resolve));
    return globalThis.converse;
  }

  function isThere() {
    return typeof globalThis.converse?.plugins?.add === "function";
  }

  // By itself, Converse.js asks for a session without a pause whenever it has none, and gives up after a
  // refusal. This replaces that by `session`.
  function attachTo(converse) {
    const { api } = converse;
    converseApi = api;
    connectionOf = () => api.connection?.get?.() ?? converse.connection;
    const attach = () => {
      const connection = connectionOf();
      watch(connection);
      if (!read("sessionStorage", presentKey)) announceAlways(converse);
      if (ready || !restored(connection)) attachSoon(connection);
    };
    // Converse.js 10 and older have no hook for this.
    if (converse.startNewPreboundBOSHSession) converse.startNewPreboundBOSHSession = attach;
    api.listen.not("login");
    api.listen.on("login", (_, payload) => {
      attach();
      return { ...payload, success: true };
    });
    api.listen.on("beforeLogout", () => (isLeaving = true));
    // Converse.js gives up after some errors.
    api.listen.on("disconnected", () => isLeaving || api.user.login());
  }

  // Converse.js sends no presence in a session that it restores. If the user left the last page before
  // Converse.js sent a presence there, the user would get no messages.
  function announceAlways(converse) {
    converse.api.listen.once("rosterContactsFetched", () => {
      // The next line is for Converse.js 10 and older.
      converse.send_initial_presence = true;
      connectionOf().send_initial_presence = true;
    });
  }

  // Continues the session that this tab had on its last page.
  function restored(connection) {
    try {
      connection.restore(owner, connection.onConnectStatusChanged);
      pace.opened();
      return true;
    } catch {
      return false;
    }
  }

  async function attachSoon(connection) {
    try {
      const { jid, sid, rid } = ready ?? (await session());
      ready = undefined;
      write("sessionStorage", presentKey, null);
      if (!isLeaving) connection.attach(jid, sid, rid, connection.onConnectStatusChanged, 59);
    } catch (error) {
      if (!isLeaving) tell(`no chat: ${error.message}`);
    }
  }

  // Records whether the chat server answers, which only the client sees.
  function watch(connection) {
    const mark = Symbol.for("prebind");
    if (connection[mark]) return;
    connection[mark] = true;
    const { xmlInput, _proto: bosh } = connection;
    connection.xmlInput = function (body) {
      if (body.getAttribute("type") !== "terminate") {
        pace.used(seconds());
        show("on");
      }
      // The server sends presences only after it knows that the user is online.
      if (body.getElementsByTagName("presence").length) write("sessionStorage", presentKey, "yes");
      xmlInput.call(this, body);
    };
    const { _hitError: hitError } = bosh;
    bosh._hitError = function (status) {
      // The client repeats a failed request once, unless the answer is final.
      if (!isLeaving && (this.errors > 0 || status >= 400)) missed(status, connection.service);
      hitError.call(this, status);
    };
  }

  // Reports the failure on the console, once per page, and to the site with the next request for a session.
  function missed(status, url) {
    show("away");
    if (pace.isUsed || hasComplained) return;
    hasComplained = true;
    unreached = status;
    const answer = status || "no answer";
    tell(
      `the chat server did not answer at ${url} (${answer}): check this address, the proxy and connect-src`,
    );
  }

  // ---- Leaving and coming back

  function endBeforeSignOut(event) {
    const { target: form, submitter } = event;
    const isMarked = [form, submitter].some(
      (element) => element && attribute(element, "data-prebind-sign-out") !== null,
    );
    if (event.defaultPrevented || !isMarked) return;
    const copy = copyOf(form, submitter);
    event.preventDefault();
    // The user may click twice while the chat ends, or just after that.
    if (leavingBy === form) return;
    leavingBy = form;
    signOut().finally(() => {
      setTimeout(() => (leavingBy = undefined), patience);
      fromDocument("documentElement").append(copy);
      HTMLFormElement.prototype.submit.call(copy);
    });
  }

  // Copies what the form is about to send. While the chat ends, a menu may remove the form, and a guard
  // against double clicks may disable its fields or stop a second event.
  function copyOf(form, submitter) {
    const copy = element("form");
    copy.hidden = true;
    for (const name of ["action", "enctype", "method", "target"]) {
      const value = submitter?.getAttribute(`form${name}`) ?? attribute(form, name);
      if (value) copy.setAttribute(name, value);
    }
    const data = new FormData(form, submitter);
    // Older browsers do not include the button.
    if (submitter?.name && !data.has(submitter.name)) data.append(submitter.name, submitter.value);
    const fields = Array.from(data, ([name, value]) =>
      Object.assign(element("input"), { type: "hidden", name, value }),
    );
    copy.append(...fields);
    return copy;
  }

  /** Ends the chat in all tabs and deletes its data, within two seconds. Never fails. */
  async function signOut() {
    const end = performance.now() + patience;
    isLeaving = true;
    // The other tabs end their chats at the same time.
    within(end, (async () => announce(""))());
    await within(end - 500, leave());
    forgetTab();
    await within(end, passTo(""));
  }

  async function leave() {
    try {
      await parts.leave?.();
    } catch (error) {
      tell(`the chat did not end: ${error?.message}`);
    }
  }

  // The browser may keep the page for its Back button. Other pages of the tab continue the session.
  function rest() {
    write("sessionStorage", openKey, null);
    tabs?.close();
    const connection = connectionOf?.();
    connection?.pause();
    connection?._proto._abortAllRequests();
  }

  // The page comes back unchanged, with everything that the user typed. Only the chat starts again.
  function wake({ persisted }) {
    if (!persisted) return;
    if (isOutdated()) return loadAgain();
    listen();
    write("sessionStorage", openKey, "open");
    const connection = connectionOf?.();
    if (!connection || isLeaving) return;
    // Converse.js gets a new session, because the page that the user comes from may still use the old one.
    pace.left();
    connection.resume();
    connection._doDisconnect();
    forgetTab();
  }

  // ---- Pages that change without being loaded: Turbo, htmx, history.pushState

  // Such pages replace their body, so the elements of Converse.js are put outside of it, unless the page has
  // a place for them.
  function settle({ assets_path: assets, auto_insert: isInserted = true }) {
    // Converse.js finds its files by its script element. A copy of a script that has run does not run again.
    for (const part of all('link[rel="stylesheet"], script[src]')) {
      const source = part.getAttribute("href") ?? part.getAttribute("src");
      if (assets && source?.startsWith(`${assets}converse`))
        fromDocument("documentElement").append(part.cloneNode());
    }
    if (!isInserted) return;
    converseRoot = element("converse-root");
    placeRoot();
  }

  function placeRoot() {
    const isGiven = all("converse-root").some((found) => found !== converseRoot);
    if (isGiven) converseRoot.remove();
    else if (!converseRoot.isConnected) fromDocument("documentElement").append(converseRoot);
  }

  // Checks after each change whose page it is. The script of the new page may not run, because the content
  // security policy of the first page has another nonce.
  function follow() {
    let [script, known] = [own, own.dataset.prebind];
    let isDue = false;
    const look = () => {
      isDue = false;
      if (converseRoot) placeRoot();
      if (!script.isConnected) script = all("script[data-prebind]").at(-1) ?? script;
      if (script.dataset.prebind === known) return;
      known = script.dataset.prebind;
      pass(new URLSearchParams(known).get("jid") ?? "");
    };
    // This looks a moment later, because Turbo briefly takes its permanent elements out of the page.
    const observer = new MutationObserver(() => {
      if (!isDue) setTimeout(look);
      isDue = true;
    });
    const attributeFilter = ["data-prebind"];
    const shown = { childList: true, subtree: true, attributeFilter };
    observer.observe(fromDocument("documentElement"), shown);
  }

  // The page now belongs to another user or to nobody, so this chat ends and the page is loaded again.
  async function pass(next) {
    if (next === owner || (!next && !(await isNobodys()))) return;
    isLeaving = true;
    if (owner) await within(performance.now() + patience, leave());
    forgetTab();
    loadAgain();
  }

  // ---- What people see

  // Shows the state of the chat. The site may have its own elements for this, with its own words and style.
  function show(state) {
    const root = fromDocument("documentElement");
    if (root.getAttribute("data-prebind-chat") === state) return;
    root.setAttribute("data-prebind-chat", state);
    const invitations = all("[data-prebind-sign-in]");
    const isInvited = state === "sign-in" && invitations.length > 0;
    const isAway = state !== "on" && !isInvited;
    const notices = all("[data-prebind-away]");
    if (isAway && !notices.length) {
      notices.push(notice());
      root.append(...notices);
    }
    for (const element of notices) element.hidden = !isAway;
    for (const element of invitations) element.hidden = !isInvited;
  }

  function notice() {
    const paragraph = element("p");
    paragraph.setAttribute("data-prebind-away", "");
    paragraph.setAttribute("role", "status");
    paragraph.textContent = "The chat is not available at the moment.";
    return paragraph;
  }

  function tell(text) {
    console.warn(`prebind: ${text}`);
  }

  function all(selector) {
    return [...Document.prototype.querySelectorAll.call(document, selector)];
  }

  // Reads a property of the document, because an element of the page can hide it by its name. Some browsers
  // do not have every property.
  function fromDocument(name) {
    return Object.getOwnPropertyDescriptor(Document.prototype, name)?.get.call(document);
  }

  // Reads an attribute, because a field of a form can hide the form's method by its name.
  function attribute(element, name) {
    return Element.prototype.getAttribute.call(element, name);
  }

  function element(name) {
    return Document.prototype.createElement.call(document, name);
  }

  // ---- Storage and time

  // Deletes the session that the chat would continue, and Converse.js's notes about it.
  function forgetTab() {
    forget("sessionStorage");
  }

  function forget(storage) {
    for (const key of keysOf(storage).filter(isClients)) write(storage, key, null);
  }

  function isClients(key) {
    return /^(converse|strophe)/.test(key);
  }

  function keysOf(storage) {
    try {
      return Object.keys(globalThis[storage]);
    } catch {
      return [];
    }
  }

  // The browser may allow the site no storage, or may have no room in it.
  function read(storage, key) {
    try {
      return globalThis[storage].getItem(key);
    } catch {
      return null;
    }
  }

  function write(storage, key, value) {
    try {
      if (value === null) globalThis[storage].removeItem(key);
      else globalThis[storage].setItem(key, value);
    } catch {
      // The page works without storage.
    }
  }

  // The URL is relative to the page's own address, because a user's text may contain a `<base>`.
  function address(path) {
    return new URL(path, location.href).href;
  }

  function within(end, work) {
    return new Promise((resolve) => {
      setTimeout(resolve, end - performance.now());
      work.then(resolve, resolve);
    });
  }

  function sleep(pause) {
    return new Promise((resolve) => setTimeout(resolve, pause * 1000));
  }

  function seconds() {
    return performance.now() / 1000;
  }
})();
