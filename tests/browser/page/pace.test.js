// When chat.js asks for sessions, without a browser: its class Pace knows neither a clock nor a page.

import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";

const script = new URL("../../../bindings/web/chat.js", import.meta.url);
const context = { URLSearchParams };
runInNewContext(readFileSync(script, "utf8"), context);
const { Pace, secondsOf } = context.prebind;
const minutes = (count) => 60 * count;
const [soonest, latest] = [() => 0, () => 1 - Number.EPSILON];

// When the tab opens sessions until `end`; each session is as `use` makes it, and lasts as long as it says.
function logins(random, end, use) {
  const pace = new Pace(random);
  const times = [];
  for (let now = 0; ;) {
    now += pace.pause(now);
    if (now >= end) return times;
    times.push(now);
    pace.opened();
    now += use(pace, now);
  }
}

test("a tab that cannot reach the chat server logs in 12 times in 10 minutes at most", () => {
  const atOnce = () => 0;
  for (const random of [soonest, Math.random, latest]) {
    const times = logins(random, minutes(10), atOnce);
    assert.ok(times.length <= 12, `${times.length} logins`);
    assert.ok(times.length >= 5, "and it goes on trying");
    assert.ok(times[2] <= 15, "at first soon");
  }
});

test("sessions that end as soon as they are used are no storm either", () => {
  const briefly = (pace, now) => {
    pace.used(now);
    return 0.1;
  };
  for (const random of [soonest, Math.random, latest]) {
    assert.ok(logins(random, minutes(10), briefly).length <= 12);
  }
});

test("it never gives up, and never waits for more than five minutes", () => {
  const times = logins(latest, minutes(600), () => 0);
  const pauses = times.slice(1).map((time, index) => time - times[index]);
  assert.ok(Math.max(...pauses) <= minutes(5));
});

test("a thousand tabs whose sessions end at once ask spread over a minute", () => {
  const pauses = Array.from({ length: 1000 }, () => {
    const pace = new Pace();
    pace.opened();
    pace.used(0);
    return pace.pause(minutes(60));
  });
  assert.ok(Math.max(...pauses) - Math.min(...pauses) >= 60);
  const perSecond = new Map();
  for (const pause of pauses) {
    const second = Math.floor(pause);
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  }
  assert.ok(Math.max(...perSecond.values()) < 50);
});

test("a steady session makes up for the lost ones before it", () => {
  const pace = new Pace(latest);
  for (let lost = 0; lost < 5; lost++) {
    pace.opened();
    pace.pause(0);
  }
  pace.opened();
  pace.used(0);
  assert.ok(pace.pause(minutes(2)) <= 62);
  pace.opened();
  assert.ok(pace.pause(minutes(2)) <= 2);
});

test("a refusal says whether and when to ask again", () => {
  for (const useless of ["no", "after-config-change", undefined, "soon"]) {
    assert.equal(new Pace().pauseAfterRefusal(useless), undefined);
  }
  const pace = new Pace(soonest);
  assert.equal(pace.pauseAfterRefusal("fresh-session"), 0);
  assert.ok(pace.pauseAfterRefusal("fresh-session") >= 1, "one retry at once");
  assert.ok(pace.pauseAfterRefusal("later", 120) >= 120, "Retry-After");
  pace.opened();
  assert.equal(pace.pauseAfterRefusal("fresh-session"), 0);
});

test("a site that is down is asked 12 times in 10 minutes at most", () => {
  for (const random of [soonest, latest]) {
    const pace = new Pace(random);
    let asked = 1;
    for (let now = 0; (now += pace.pauseAfterRefusal("later")) < minutes(10); asked++);
    assert.ok(asked <= 12, `${asked} times`);
  }
});

test("Retry-After is a number of seconds or a date", () => {
  assert.equal(secondsOf("120"), 120);
  assert.equal(secondsOf("Thu, 01 Jan 2026 00:02:00 GMT", Date.UTC(2026, 0, 1)), 120);
  for (const useless of [null, undefined, "", "-5", "soon", "Thu, 01 Jan 1970 00:00:00 GMT"]) {
    assert.equal(secondsOf(useless), 0);
  }
  assert.ok(secondsOf("1e300") <= 24 * 3600, "no more than a timer can hold");
});
