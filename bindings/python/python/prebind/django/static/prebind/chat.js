// The chat of the user whose page this is, by Converse.js, and of nobody else. What Converse is to
// be told is in the element #prebind-converse; null on a page without chat.
//
// A form with the attribute data-prebind-sign-out ends the chat, and clears it away, before it is sent.

const settings = JSON.parse(document.getElementById("prebind-converse").textContent);
const owner = settings?.jid ?? "";

const ownerKey = "prebind.owner"; // whose chat this tab, and this browser, has kept
const openKey = "prebind.open"; // this tab has a page open

// How long signing out waits for the chat server, in milliseconds.
const patience = 2000;

// The other tabs; whoever of them shows another user's chat ends it.
const tabs = new BroadcastChannel("prebind");
let leave = async () => {};

tabs.addEventListener("message", async ({ data }) => {
  if (data === owner) return;
  await leave();
  forgetTab();
});

addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-prebind-sign-out") || event.defaultPrevented) return;
  event.preventDefault();
  form.removeAttribute("data-prebind-sign-out");
  await leave();
  forgetTab();
  await passTo("");
  form.requestSubmit(event.submitter);
});

addEventListener("pagehide", () => sessionStorage.removeItem(openKey));

// The browser brings a page back as it was left, with a session that the pages after it have gone on with.
addEventListener("pageshow", (event) => {
  if (event.persisted && (settings || isOutdated())) loadAgain();
});

// Or as it was loaded.
if (isFromCache() && isOutdated()) {
  loadAgain();
} else {
  await handOver();
  if (settings) await start();
}

function isFromCache() {
  const [page] = performance.getEntriesByType("navigation");
  return page?.type === "back_forward" && page.transferSize === 0;
}

// Somebody else has signed in since.
function isOutdated() {
  return localStorage.getItem(ownerKey) !== owner;
}

// Not `reload`, which would send once more the form that the page may be the answer to.
function loadAgain() {
  location.replace(location.pathname + location.search);
}

async function handOver() {
  // A tab that is a copy of another one, which is still open, must not share its session.
  const isCopy = sessionStorage.getItem(openKey) !== null;
  if (isCopy || sessionStorage.getItem(ownerKey) !== owner) forgetTab();
  if (localStorage.getItem(ownerKey) !== owner) await passTo(owner);
  sessionStorage.setItem(ownerKey, owner);
  sessionStorage.setItem(openKey, "");
}

// Makes the browser's chat, in all its tabs, that of somebody else, or of nobody.
async function passTo(next) {
  tabs.postMessage(next);
  await forgetBrowser();
  localStorage.setItem(ownerKey, next);
}

async function start() {
  let api;
  const { default: converse } = await import(`${settings.assets_path}converse.min.js`);
  converse.plugins.add("prebind", {
    initialize() {
      api = this._converse.api;
    },
  });
  leave = () =>
    Promise.race([api?.user.logout(), new Promise((resolve) => setTimeout(resolve, patience))]);
  await converse.initialize({
    ...settings,
    prebind_url: `${settings.prebind_url}?page=${random()}`,
    whitelisted_plugins: [...(settings.whitelisted_plugins ?? []), "prebind"],
  });
}

// Names the page, so that it has the same JID in each of its sessions. Available over plain http too.
function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

// The session that the chat would go on with, and what Converse has noted about it.
function forgetTab() {
  forget(sessionStorage);
}

// Messages and contacts.
function forgetBrowser() {
  forget(localStorage);
  return new Promise((resolve) => {
    const deletion = indexedDB.deleteDatabase("converse-persistent");
    deletion.onsuccess = deletion.onerror = deletion.onblocked = resolve;
  });
}

function forget(storage) {
  for (const key of Object.keys(storage)) {
    if (/^(converse|strophe)/.test(key)) storage.removeItem(key);
  }
}
