// A user without a browser, who attaches to a session of the command `prebind` and speaks BOSH.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { post, terminate } from "./bosh.js";

const patience = 60_000;

export class Peer {
  static #here = new Set();
  #heard = "";
  #pending = new Set();

  constructor(url, { jid, sid, rid }) {
    Object.assign(this, { url, jid, sid, rid });
  }

  static async signIn(url, { jid, xmpp_password: password }) {
    const env = { ...process.env, PREBIND_PASSWORD: password };
    const { stdout } = await promisify(execFile)("prebind", ["login", "--json", url, jid], { env });
    const peer = new Peer(url, JSON.parse(stdout));
    // Without a presence, the server delivers no messages.
    await peer.send("<presence/>");
    Peer.#here.add(peer);
    return peer;
  }

  // A case that failed may leave peers behind, who would still be online in the next case.
  static async allLeave() {
    await Promise.allSettled([...Peer.#here].map((peer) => peer.leave()));
  }

  // Sends stanzas without waiting for the answer, because the server holds the request until it has something
  // to say. Two requests may be under way: the second makes the server answer the first.
  async send(stanzas) {
    while (this.#pending.size > 1) await Promise.race(this.#pending);
    const answer = post(this.url, this.sid, this.rid++, stanzas);
    const read = answer.then((body) => {
      this.#heard += body;
      this.#pending.delete(read);
    });
    this.#pending.add(read);
  }

  async say(jid, text) {
    await this.send(`<message to="${jid}" type="chat"><body>${text}</body></message>`);
  }

  // Listens until the server has said something that matches.
  async hear(pattern) {
    const deadline = AbortSignal.timeout(patience);
    const late = new Promise((resolve) => deadline.addEventListener("abort", resolve));
    while (!pattern.test(this.#heard)) {
      if (deadline.aborted) throw new Error(`${this.jid} did not hear ${pattern}: ${this.#heard}`);
      if (this.#pending.size === 0) await this.send("");
      await Promise.race([late, ...this.#pending]);
    }
  }

  async leave() {
    Peer.#here.delete(this);
    await terminate(this.url, this.sid, this.rid++);
    await Promise.all(this.#pending);
  }
}
