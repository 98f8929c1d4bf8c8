// Makes two users contacts of each other, by the same steps as users take.

import { Peer } from "./peer.js";

export async function befriend(url, left, right) {
  const [asker, asked] = [await Peer.signIn(url, left), await Peer.signIn(url, right)];
  // The server reports changes of the roster only to those who have asked for it.
  for (const peer of [asker, asked]) await peer.send(roster("get"));
  await asker.send(`${entry(right)}<presence type="subscribe" to="${right.jid}"/>`);
  await asked.send(entry(left));
  await asked.hear(presence("subscribe"));
  for (const type of ["subscribed", "subscribe"]) {
    await asked.send(`<presence type="${type}" to="${left.jid}"/>`);
  }
  await asker.hear(presence("subscribe"));
  await asker.send(`<presence type="subscribed" to="${right.jid}"/>`);
  for (const peer of [asker, asked]) {
    await peer.hear(/subscription=["']both["']/);
    await peer.leave();
  }
}

function entry({ jid }) {
  const name = jid[0].toUpperCase() + jid.slice(1, jid.indexOf("@"));
  return roster("set", `<item jid="${jid}" name="${name}"/>`);
}

function roster(type, item = "") {
  return `<iq type="${type}" id="roster-${type}"><query xmlns="jabber:iq:roster">${item}</query></iq>`;
}

function presence(type) {
  return new RegExp(`<presence[^>]*type=["']${type}["']`);
}
