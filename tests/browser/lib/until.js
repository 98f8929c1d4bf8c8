import { setTimeout } from "node:timers/promises";

const pause = 100;

// Asks again and again until something holds that no event announces. It counts looks and not seconds, so a
// busy machine gets more time, and changing the clock has no effect.
export async function until(what, holds, patience = 60_000) {
  for (let looks = patience / pause; !(await holds()); looks--) {
    if (looks <= 0) throw new Error(`not in ${patience / 1000} s: ${what}`);
    await setTimeout(pause);
  }
}
