// Tests of views: addresses, filters, and the search, which must match as the server does.

import assert from "node:assert/strict";
import { test } from "node:test";
import { found, words } from "../../../crates/dashboard/assets/search.js";
import { DEFAULT_VIEW, filterObject, matcher, parseCondition, parseView, toggleCondition, viewParameters } from "../../../crates/dashboard/assets/view.js";

const view = (query) => parseView(new URLSearchParams(query));
const alert = (more = {}) => ({
  id: "a", timestamp: "2026-11-28T12:00:00.000500Z", message: "Pump 2 is warm", location: "Hall B", severity: "warning", status: "open", labels: { zone: "west" }, source: "plc", ...more,
});
const shows = (query, more) => matcher(view(query))(alert(more));

test("an address and its view are the same", () => {
  for (const query of [
    "", "view=open", "view=resolved&q=pump", "severity=critical%2Cerror", "q=a&location=Hall+B&source=plc&label.zone=west&label.zone=east&order=time",
    "since=2026-11-28T12%3A00%3A00.000Z",
  ]) {
    assert.equal(viewParameters(view(query), null).toString(), query);
  }
  assert.equal(viewParameters(DEFAULT_VIEW, "x").toString(), "alert=x");
});

test("a bad address shows the default view", () => {
  for (const query of ["view=nonsense", "view=constructor", "severity=fatal", "order=size", "since=yesterday", "severity=", "location="]) {
    assert.deepEqual(view(query), DEFAULT_VIEW, query);
  }
});

test("conditions of one name are alternatives and names are joined by and", () => {
  assert.equal(shows("label.zone=east&label.zone=west"), true);
  assert.equal(shows("label.zone=east"), false);
  assert.equal(shows("label.zone=west&severity=critical"), false);
  assert.equal(shows("label.zone=west&severity=critical,warning&source=plc&location=Hall+B"), true);
  assert.equal(shows("label.other=west"), false);
  assert.equal(shows("label.toString=x"), false);
  assert.equal(shows("view=resolved"), false);
  assert.equal(shows("view=all", { status: "resolved" }), true);
});

test("times have microseconds", () => {
  assert.equal(shows("since=2026-11-28T12:00:00.000500Z"), true);
  assert.equal(shows("since=2026-11-28T12:00:00.000501Z"), false);
  assert.equal(shows("until=2026-11-28T12:00:00.000500Z"), false);
  assert.equal(shows("until=2026-11-28T12:00:00.001Z"), true);
});

test("a search finds beginnings of words", () => {
  for (const [search, text] of [
    ["uber", "Über"], ["ÜBER", "u\u0308berall"], ["istanbul", "İSTANBUL"], ["ΟΔΟΣ", "οδός"], ["οδοσ", "ΟΔΟΣ"], ["file", "\ufb01le"],
    ["h2", "ℌ\u00b2"], ["привет", "ПРИВЕТ"], ["ё", "е"], ["한", "한국어"], ["नमस", "नमस्ते"], ["pum 2", "Pump 2"], ["", "x"], ["!?", "x"],
  ]) {
    assert.equal(found(words([search]), words([text])), true, `${search} in ${text}`);
  }
  assert.equal(found(words(["ump"]), words(["Pump"])), false);
  assert.equal(found(words(["กน"]), words(["กั้นน้ำ"])), false, "a vowel sign without a combining class counts");
  assert.equal(shows("q=hall+pu"), true, "message and location");
  assert.equal(shows("q=west"), false, "labels are filters, not texts");
});

test("a typed condition becomes a filter", () => {
  assert.deepEqual(parseCondition("zone=west"), { name: "label.zone", value: "west" });
  assert.deepEqual(parseCondition("label.zone = west side"), { name: "label.zone", value: "west side" });
  assert.deepEqual(parseCondition("location=Hall B"), { name: "location", value: "Hall B" });
  assert.deepEqual(parseCondition("severity=Error"), { name: "severity", value: "error" });
  for (const text of ["pump", "=x", "a=", "severity=fatal", "ä=x", "two words=x"]) assert.equal(parseCondition(text), null, text);
});

test("a filter is an object for bulk actions", () => {
  assert.deepEqual(filterObject(view("view=open&q=pump&label.zone=west&label.zone=east&alert=x&order=time")), {
    q: "pump", "label.zone": ["west", "east"], status: "open",
  });
  assert.deepEqual(filterObject(DEFAULT_VIEW), { status: "open,acknowledged" });
});

test("a chip is added and removed", () => {
  const condition = { name: "location", value: "x" };
  const added = toggleCondition(DEFAULT_VIEW, condition);
  assert.deepEqual(added.conditions, [condition]);
  assert.deepEqual(toggleCondition(added, { ...condition }).conditions, []);
});
