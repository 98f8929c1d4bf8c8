// Waits for a login in one or two round trips, which a site makes once it knows the chat server.

import { auth, serverKind } from "./settings.js";

// How to recognize a session of such a login, by the visitor and by the answers in the session.
const signs = {
  // The features of the stream are still in the session, so the browser's first answer begins with them.
  prosody: (_, answers) => answers.some((answer) => answer.includes("<stream:features")),
  // The session shows nothing, so the site has to report its round trips.
  ejabberd: ({ wire }) => wire.roundTrips.at(-1) === 2,
};

// With ejabberd, only a mechanism of one message takes two round trips.
const isPossible = serverKind === "prosody" || auth === "plain";

// Opens sessions until a login was short, because each process of the site first uses the full exchange.
export async function shortlyOpened(open, answersOf) {
  for (let left = 8; left > 0; left--) {
    const opened = await open();
    if (!isPossible || signs[serverKind](opened, await answersOf(opened))) return opened;
  }
  throw new Error("no login was short");
}
