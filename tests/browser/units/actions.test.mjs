// Tests of the actions: pending states, retries with one key, conflicts, and undo.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Actions } from "../../../crates/dashboard/assets/actions.js";
import { NoAnswer, Refused } from "../../../crates/dashboard/assets/api.js";

const NOW = Date.parse("2026-11-28T12:00:00Z");
const at = (seconds = 0) => new Date(NOW + seconds * 1_000).toISOString().replace("Z", "000Z");

/** A board with one alert, and a server whose answers the test scripts. */
function board(...answers) {
  const alerts = new Map();
  const put = (alert) => alerts.set(alert.id, { ...alerts.get(alert.id), ...alert });
  put({ id: "a", message: "Fan slow", status: "open", revision: 1, updated_at: at() });
  put({ id: "b", message: "Fire", status: "open", revision: 1, updated_at: at() });
  const requests = [];
  const notices = [];
  const answer = (method, path, body, headers) => {
    requests.push({ method, path, body, headers });
    const next = answers.shift();
    const result = typeof next === "function" ? next() : next;
    if (result instanceof Error) throw result;
    return result;
  };
  const api = {
    get: async (path) => answer("GET", path),
    post: async (path, body, headers) => answer("POST", path, body, headers),
  };
  const clock = { now: 0 };
  const environment = { wall: () => clock.now, monotonic: () => clock.now, pause: async (ms) => { clock.now += ms; } };
  const actions = new Actions(api, environment, {
    alert: (id) => alerts.get(id),
    apply: put,
    era: () => 0,
    settled: async () => {},
    changed: () => {},
    notify: (notice) => notices.push(notice),
    now: () => NOW,
    whenConnected: async () => {},
  });
  return { actions, alerts, requests, notices, put, clock };
}

const mine = { id: "a", message: "Fan slow", status: "acknowledged", acknowledged_by: "Anna", acknowledged_at: at(), revision: 2, updated_at: at() };
const refused = (status, more = {}) => new Refused(status, more, null);

test("an action is pending until its answer", async () => {
  let during;
  const { actions, notices } = board(() => { during = actions.pending("a"); return mine; });
  await actions.perform("acknowledge", ["a"], "Anna", "");
  assert.deepEqual(during, { status: "acknowledged", by: "Anna", isUnknown: false });
  assert.equal(actions.pending("a"), undefined);
  assert.equal(notices[0].text, "Acknowledged “Fan slow”.");
  assert.equal(notices[0].undo.entries.length, 1);
});

test("a refused action is taken back with its reason", async () => {
  const ben = { ...mine, status: "resolved", resolved_by: "Ben", resolved_at: at(-3) };
  const { actions, notices, alerts } = board(refused(409, { detail: "no", alert: { status: "resolved" } }), ben);
  await actions.perform("acknowledge", ["a"], "Anna", "");
  assert.equal(actions.pending("a"), undefined);
  assert.match(notices[0].text, /^Not acknowledged: resolved by Ben at \d\d:\d\d:57\.$/);
  assert.equal(alerts.get("a").status, "resolved");
  assert.equal(notices[0].undo, undefined);
});

test("an action without an answer is sent again with the same key", async () => {
  const unknown = [];
  const fail = (error) => () => { unknown.push(actions.pending("a").isUnknown); return error; };
  const { actions, requests, notices } = board(
    fail(new NoAnswer()), fail(refused(502)), fail(refused(503, { type: "urn:northgate:problem:outcome-unknown" })), mine,
  );
  await actions.perform("acknowledge", ["a"], "Anna", "");
  assert.deepEqual(unknown, [false, true, true]);
  const keys = new Set(requests.map(({ headers }) => headers["Idempotency-Key"]));
  assert.equal(requests.length, 4);
  assert.equal(keys.size, 1);
  assert.match(notices[0].text, /^Unknown/);
  assert.equal(notices.at(-1).kind, "done");
});

test("a conflict states who was first and when", async () => {
  const { actions, notices } = board({ ...mine, acknowledged_by: "Ben", acknowledged_at: at(-90) });
  await actions.perform("acknowledge", ["a"], "Anna", "");
  assert.match(notices[0].text, /^Ben has had “Fan slow” since \d\d:58\.$/);
  assert.equal(notices[0].undo, undefined, "an action that changed nothing cannot be undone");
});

test("undo survives a repeat", async () => {
  const repeated = { ...mine, revision: 3 };
  const open = { ...mine, status: "open", acknowledged_by: undefined, revision: 4 };
  const { actions, requests, notices } = board(mine, refused(412), repeated, open);
  await actions.perform("acknowledge", ["a"], "Anna", "");
  await actions.undo(notices[0].undo.entries, "Anna");
  assert.deepEqual(requests.map(({ method, path, headers }) => [method, path, headers?.["If-Match"]]), [
    ["POST", "alerts/a/acknowledge", undefined],
    ["POST", "alerts/a/unacknowledge", "\"2\""],
    ["GET", "alerts/a", undefined],
    ["POST", "alerts/a/unacknowledge", "\"3\""],
  ]);
  assert.equal(notices.at(-1).text, "Undone: “Fan slow”.");
});

test("undo never changes what somebody else did", async () => {
  const resolved = { ...mine, status: "resolved", resolved_by: "Ben", resolved_at: at(3), revision: 3 };
  for (const known of [true, false]) {
    const { actions, requests, notices, put } = board(mine, ...known ? [resolved] : [refused(412), resolved]);
    await actions.perform("acknowledge", ["a"], "Anna", "");
    if (known) put(resolved);
    await actions.undo(notices[0].undo.entries, "Anna");
    assert.match(notices.at(-1).text, /^Not undone: resolved by Ben at \d\d:\d\d:03$/);
    const changes = requests.filter(({ method, headers }) => method === "POST" && !headers["If-Match"]);
    assert.equal(changes.length, 1, "only the first action is unconditional");
  }
});

test("undo of an unacknowledgement does not act in another name", async () => {
  const { actions, notices, put } = board({ ...mine, status: "open", acknowledged_by: undefined, revision: 3 });
  put({ ...mine, acknowledged_by: "Ben" });
  await actions.perform("unacknowledge", ["a"], "Anna", "");
  assert.equal(notices[0].kind, "done");
  assert.equal(notices[0].undo, undefined);
});

test("undo of a resolution restores my acknowledgement", async () => {
  const resolved = { ...mine, status: "resolved", resolved_by: "Anna", resolved_at: at(), revision: 3 };
  const { actions, requests, notices, put } = board(
    resolved, { ...mine, status: "open", revision: 4 }, { ...mine, revision: 5 },
  );
  put(mine);
  await actions.perform("resolve", ["a"], "Anna", "");
  await actions.undo(notices[0].undo.entries, "Anna");
  assert.deepEqual(requests.map(({ path }) => path), ["alerts/a/resolve", "alerts/a/reopen", "alerts/a/acknowledge"]);
});

test("an action on many tells what changed and undoes only that", async () => {
  const ben = { id: "b", message: "Fire", status: "acknowledged", acknowledged_by: "Ben", acknowledged_at: at(-60), revision: 2, updated_at: at() };
  const { actions, requests, notices } = board(
    { results: [{ id: "a", outcome: "changed", revision: 2 }, { id: "b", outcome: "unchanged", revision: 2 }], rest: null }, ben,
    mine, { ...mine, status: "open", acknowledged_by: undefined, revision: 3 },
  );
  await actions.perform("acknowledge", ["a", "b"], "Anna", "");
  assert.equal(requests[0].headers["Idempotency-Key"], undefined, "the API has no keys for bulk actions");
  assert.equal(notices[0].text, "Acknowledged 1 of 2 alerts.");
  assert.match(notices[0].detail, /^Ben has had “Fire” since \d\d:59\.$/);
  assert.deepEqual(notices[0].undo.entries.map(({ id }) => id), ["a"]);
  await actions.undo(notices[0].undo.entries, "Anna");
  assert.equal(notices.at(-1).text, "Undone: “Fan slow”.");
  assert.deepEqual(requests.slice(2).map(({ method, path }) => [method, path]), [["GET", "alerts/a"], ["POST", "alerts/a/unacknowledge"]]);
});

test("all that match are one request and then its rest", async () => {
  const { actions, requests, notices } = board(
    { results: [{ id: "a", outcome: "changed" }], rest: { before: "p-1" } }, { results: [{ id: "b", outcome: "changed" }], rest: null },
  );
  await actions.performOnAll("resolve", { status: "open" }, "p-9", ["a", "b"], "Anna", "");
  assert.deepEqual(requests.map(({ body }) => body.filter), [
    { status: "open", as_of: "p-9" }, { status: "open", as_of: "p-9", before: "p-1" },
  ]);
  assert.equal(notices[0].text, "Resolved 2 alerts.");
});

test("a note on many alerts is not sent twice", async () => {
  const { actions, requests, notices } = board(new NoAnswer());
  await actions.perform("note", ["a", "b"], "Anna", "hot");
  assert.equal(requests.length, 1);
  assert.equal(notices[0].kind, "failed");
});

test("two actions on one alert keep their order", async () => {
  let finish;
  const { actions, requests } = board(new Promise((resolve) => { finish = () => resolve(mine); }), { ...mine, status: "resolved", resolved_by: "Anna", resolved_at: at() });
  const first = actions.perform("acknowledge", ["a"], "Anna", "");
  const second = actions.perform("resolve", ["a"], "Anna", "");
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(requests.length, 1);
  finish();
  await Promise.all([first, second]);
  assert.deepEqual(requests.map(({ path }) => path), ["alerts/a/acknowledge", "alerts/a/resolve"]);
});

test("an old action is not sent when the connection returns much later", async () => {
  const { actions, requests, notices, clock } = board(() => { clock.now += 400_000; return new NoAnswer(); }, mine);
  await actions.perform("resolve", ["a"], "Anna", "");
  assert.equal(requests.length, 1);
  assert.equal(notices.at(-1).kind, "failed");
});

test("an action on many whose first answer was lost counts what it changed", async () => {
  const both = { results: [{ id: "a", outcome: "unchanged" }, { id: "b", outcome: "unchanged" }], rest: null };
  const { actions, notices, put } = board(() => { put(mine); return new NoAnswer(); }, both, { ...mine, id: "b", acknowledged_by: "Ben", acknowledged_at: at(-60) });
  await actions.perform("acknowledge", ["a", "b"], "Anna", "");
  assert.equal(notices.at(-1).text, "Acknowledged 1 of 2 alerts.");
  assert.deepEqual(notices.at(-1).undo.entries.map(({ id }) => id), ["a"]);
});

test("an undo that restores only a part says so", async () => {
  const resolved = { ...mine, status: "resolved", resolved_by: "Anna", resolved_at: at(), revision: 3 };
  const { actions, notices, put } = board(resolved, { ...mine, status: "open", revision: 4 }, refused(502));
  put(mine);
  await actions.perform("resolve", ["a"], "Anna", "");
  await actions.undo(notices[0].undo.entries, "Anna");
  assert.match(notices.at(-1).text, /^Not undone: it is open again, but not acknowledged/);
});
