// A login in one or two round trips, as a site makes once it knows the chat server.

import { auth, serverKind } from "./settings.js";

// How such a session is told from others, by what was opened and the answers in it.
const signs = {
  // The features of the stream are still in the session: the browser's first answer begins with them.
  prosody: (_, answers) => answers.some((answer) => answer.includes("<stream:features")),
  // Nothing is left in the session, so the site has to say it.
  ejabberd: ({ wire }) => wire.roundTrips.at(-1) === 2,
};

// On ejabberd only a mechanism of one message takes two round trips.
const isPossible = serverKind === "prosody" || auth === "plain";

// Opens until that was short: each process of the site takes the long exchange at first.
export async function shortlyOpened(open, answersOf) {
  for (let left = 8; left > 0; left--) {
    const opened = await open();
    if (!isPossible || signs[serverKind](opened, await answersOf(opened))) return opened;
  }
  throw new Error("no login was short");
}
