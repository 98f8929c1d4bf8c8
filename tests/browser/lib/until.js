import { setTimeout } from "node:timers/promises";

// Asks again and again, for what no event tells.
export async function until(what, holds, patience = 60_000) {
  for (const deadline = Date.now() + patience; !(await holds()); await setTimeout(100)) {
    if (Date.now() > deadline) throw new Error(`not in ${patience / 1000} s: ${what}`);
  }
}
