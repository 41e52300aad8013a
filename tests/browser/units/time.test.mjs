// Tests of the server's clock, of elapsed time, and of times as text.

import assert from "node:assert/strict";
import { test } from "node:test";
import { age, duration, Elapsed, ServerClock } from "../../../crates/dashboard/assets/time.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test("ages are minutes to 119, hours to 47, then days", () => {
  for (const [ms, text] of [
    [-5, "< 1 min"], [59_999, "< 1 min"], [MINUTE, "1 min"], [119 * MINUTE, "119 min"], [2 * HOUR, "2 h"], [48 * HOUR - 1, "47 h"], [48 * HOUR, "2 d"], [400 * 24 * HOUR, "400 d"],
  ]) assert.equal(age(ms), text);
  assert.equal(duration(8_000), "8 s");
  assert.equal(duration(13 * MINUTE), "13 minutes");
});

test("a wrong clock of the computer does not change the server's time", () => {
  const environment = { now: Date.parse("2026-11-28T13:00:00Z"), wall: () => environment.now };
  const clock = new ServerClock(environment);
  clock.learn("Sat, 28 Nov 2026 12:00:00 GMT");
  assert.ok(Math.abs(clock.now() - Date.parse("2026-11-28T12:00:00Z")) < 1_000);
  environment.now += 10_400;
  clock.learn("Sat, 28 Nov 2026 12:00:10 GMT");
  const before = clock.now();
  clock.learn("Sat, 28 Nov 2026 12:00:10 GMT");
  assert.equal(clock.now(), before, "answers of one second do not move the clock");
  clock.learn(null);
  clock.learn("nonsense");
  assert.equal(clock.now(), before);
});

test("elapsed time is the larger of two clocks", () => {
  const clocks = { wallNow: 1_000, monotonicNow: 50 };
  const elapsed = new Elapsed({ wall: () => clocks.wallNow, monotonic: () => clocks.monotonicNow });
  clocks.wallNow += 60_000;
  assert.equal(elapsed.ms, 60_000, "performance.now stands still while a computer sleeps");
  clocks.wallNow -= 3_600_000;
  clocks.monotonicNow += 9_000;
  assert.equal(elapsed.ms, 9_000, "a clock that is set back hides nothing");
  elapsed.reset();
  assert.equal(elapsed.ms, 0);
});
