// Tests of the rows: their order, and the frozen list.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, keyOf, ShownRows, SortedRows } from "../../../crates/dashboard/assets/rows.js";
import { seeded } from "./fake_server.mjs";

const SEVERITIES = ["critical", "error", "warning", "info"];

function alert(number, severity = "warning", more = {}) {
  const timestamp = `2026-11-28T00:00:00.${String(number).padStart(6, "0")}Z`;
  return { id: `a${number}`, timestamp, severity, ...more };
}

const key = (one, order = "severity") => keyOf(one, order);

test("the worst comes first and then the newest", () => {
  const rows = new SortedRows();
  const alerts = [alert(1, "info"), alert(2, "critical"), alert(3, "error"), alert(4, "critical"), alert(5, "info")];
  alerts.forEach((one) => rows.set(one.id, key(one)));
  assert.deepEqual(rows.ids(), ["a4", "a2", "a3", "a5", "a1"]);
  rows.reset(alerts.map((one) => key(one, "time")));
  assert.deepEqual(rows.ids(), ["a5", "a4", "a3", "a2", "a1"]);
});

test("repeats, notes and acknowledgements do not move a row", () => {
  const rows = new SortedRows();
  [1, 2, 3].forEach((number) => rows.set(`a${number}`, key(alert(number))));
  rows.set("a1", key(alert(1, "warning", { count: 9, status: "acknowledged", updated_at: "later" })));
  assert.deepEqual(rows.ids(), ["a3", "a2", "a1"]);
  rows.set("a1", key(alert(1, "critical")));
  assert.deepEqual(rows.ids(), ["a1", "a3", "a2"], "a worse severity moves it");
});

test("insertions and removals keep the order of a sort", () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = seeded(seed);
    const rows = new SortedRows();
    const model = new Map();
    for (let step = 0; step < 200; step += 1) {
      const number = Math.floor(random() * 40);
      const one = random() < 0.3 ? null : alert(number, SEVERITIES[Math.floor(random() * 4)]);
      rows.set(`a${number}`, one && key(one));
      if (one) model.set(one.id, one);
      else model.delete(`a${number}`);
    }
    const expected = [...model.values()].map((one) => key(one)).sort(compare).map(({ id }) => id);
    assert.deepEqual(rows.ids(), expected, `seed ${seed}`);
  }
});

test("while the list is frozen new rows wait and gone rows stay", () => {
  const rows = new ShownRows();
  rows.reset([1, 2, 3].map((number) => key(alert(number))));
  rows.freeze();
  rows.set("a9", key(alert(9, "critical")));
  rows.set("a2", null);
  assert.deepEqual(rows.ids, ["a3", "a2", "a1"]);
  assert.deepEqual([...rows.waiting], ["a9"]);
  assert.equal(rows.matches("a2"), false);
  rows.set("a2", key(alert(2)));
  assert.deepEqual([...rows.waiting], ["a9"], "a row that comes back is on the screen already");
  rows.set("a2", null);
  rows.set("a8", key(alert(8)));
  rows.set("a8", null);
  assert.deepEqual([...rows.waiting], ["a9"], "a row that came and went does not wait");
  rows.thaw();
  assert.deepEqual(rows.ids, ["a9", "a3", "a1"]);
  assert.equal(rows.waiting.size, 0);
});

test("rows that were asked for are shown at once, and waiting rows still wait", () => {
  const rows = new ShownRows();
  rows.reset([2, 4, 6].map((number) => key(alert(number))));
  rows.freeze();
  rows.set("a4", null);
  rows.set("a9", key(alert(9, "critical")));
  for (const number of [1, 3, 5]) rows.set(`a${number}`, key(alert(number)));
  rows.admit(["a1", "a3", "a5"]);
  assert.deepEqual(rows.ids, ["a6", "a5", "a4", "a3", "a2", "a1"]);
  assert.deepEqual([...rows.waiting], ["a9"]);
});
