import { setTimeout } from "node:timers/promises";

const pause = 100;

// Asks again and again, for what no event tells. Looks are counted, not seconds: a busy machine gets more time, and a
// clock that is set meanwhile changes nothing.
export async function until(what, holds, patience = 60_000) {
  for (let looks = patience / pause; !(await holds()); looks--) {
    if (looks <= 0) throw new Error(`not in ${patience / 1000} s: ${what}`);
    await setTimeout(pause);
  }
}
