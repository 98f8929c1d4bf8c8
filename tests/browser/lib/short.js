// A login in one or two round trips, as a site makes once it knows Prosody. The features of the stream are
// still in the session then: the browser's first answer begins with them.

import { serverKind } from "./settings.js";

export const isPossible = serverKind === "prosody";

export function isShort(answers) {
  return answers.some((answer) => answer.includes("<stream:features"));
}

// Opens until that was short: each process of the site takes the long exchange at first.
export async function shortlyOpened(open, answersOf) {
  for (let left = 8; left > 0; left--) {
    const opened = await open();
    if (!isPossible || isShort(await answersOf(opened))) return opened;
  }
  throw new Error("every login took the long exchange");
}
