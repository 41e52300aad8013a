// Tests of the feed: the collection at a position plus the stream after it is the server's state,
// whatever is cut, trimmed or restarted in between.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Alerts } from "../../../crates/dashboard/assets/alerts.js";
import { Api } from "../../../crates/dashboard/assets/api.js";
import { Feed, LOST } from "../../../crates/dashboard/assets/feed.js";
import { ServerClock } from "../../../crates/dashboard/assets/time.js";
import { FakeServer, seeded } from "./fake_server.mjs";

/** A feed with the smallest listener that a board needs. */
function client(server, random) {
  const clock = { now: 0 };
  const pauses = [];
  const environment = {
    fetch: (url) => server.fetch(url),
    connect: (url) => server.connect(url),
    wall: () => clock.now,
    monotonic: () => clock.now,
    random,
    pause: (ms) => {
      pauses.push(ms);
      return new Promise((resolve) => setImmediate(resolve));
    },
  };
  const alerts = new Alerts();
  const seen = { lost: 0, live: 0, gaps: 0, raised: [], loads: 0 };
  const api = new Api(new URL("http://board.test/"), environment, new ServerClock(environment));
  const feed = new Feed(api, environment, {
    trying: () => {},
    loading: () => { seen.loads += 1; alerts.beginLoad(); },
    page: (page) => page.forEach((alert) => alerts.apply(alert)),
    loaded: () => alerts.endLoad(),
    event: (event) => {
      if (event.type === "alert") seen.raised.push(event.id);
      alerts.apply(event);
    },
    resumed: (isGap) => { seen.gaps += Number(isGap); },
    live: () => { seen.live += 1; },
    heard: () => {},
    lost: () => { seen.lost += 1; },
    pausing: () => {},
  });
  const active = () => new Map([...alerts].filter(({ status }) => status !== "resolved").map(({ id, revision, status }) => [id, `${revision} ${status}`]));
  return { feed, alerts, active, seen, pauses, clock, done: feed.run() };
}

async function until(condition) {
  for (let turns = 0; turns < 20_000; turns += 1) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail("the condition did not become true");
}

const sorted = (map) => [...map].sort();

test("a board equals the server after any history", async () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const random = seeded(seed);
    const server = new FakeServer(random);
    for (let count = 0; count < 8; count += 1) server.raise();
    let steps = 120;
    const acts = [
      () => server.raise(),
      () => server.raise(),
      () => change(server, random, { status: "resolved" }),
      () => change(server, random, { status: "open" }),
      () => change(server, random, { status: "acknowledged" }),
      () => change(server, random, { count: 2 }),
      () => server.cut(),
      () => { server.isAway = !server.isAway; if (server.isAway) server.cut(); },
      () => random() < 0.3 && server.trim(),
      () => random() < 0.1 && server.restartEmpty(),
    ];
    server.between = () => {
      if (steps <= 0 || random() < 0.4) return;
      steps -= 1;
      acts[Math.floor(random() * acts.length)]();
    };
    const board = client(server, random);
    await until(() => {
      server.between();
      return steps <= 0;
    });
    server.isAway = false;
    // The last events reach the board over the stream or over a load.
    await until(() => board.seen.live > 0 && server.sockets.size === 1 && isEqual(board.active(), server.active()))
      .catch(() => assert.deepEqual(sorted(board.active()), sorted(server.active()), `seed ${seed}`));
    board.feed.stop();
    await board.done;
  }
});

function change(server, random, fields) {
  const ids = [...server.alerts.keys()];
  if (ids.length > 0) server.change(ids[Math.floor(random() * ids.length)], fields);
}

function isEqual(a, b) {
  return a.size === b.size && [...a].every(([id, state]) => b.get(id) === state);
}

test("every raised alert arrives once across cuts", async () => {
  const random = seeded(7);
  const server = new FakeServer(random);
  const board = client(server, random);
  await until(() => board.seen.live > 0);
  for (let count = 0; count < 200; count += 1) {
    server.raise();
    if (count % 9 === 0) server.cut();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => board.seen.raised.length >= 200);
  assert.equal(new Set(board.seen.raised).size, 200);
  assert.equal(board.seen.raised.length, 200);
  assert.equal(board.seen.loads, 1, "a cut needs no load");
  board.feed.stop();
  await board.done;
});

test("a silent connection is ended and replaced", async () => {
  const random = seeded(3);
  const server = new FakeServer(random);
  const board = client(server, random);
  await until(() => board.seen.live > 0);
  const [first] = server.sockets;
  board.clock.now += LOST - 1;
  board.feed.check();
  assert.equal(board.seen.lost, 0);
  board.clock.now += 1;
  board.feed.check();
  assert.equal(board.seen.lost, 1);
  await until(() => server.sockets.size === 1 && !server.sockets.has(first));
  board.feed.stop();
  await board.done;
});

test("a pause that the server asks for is never shortened", async () => {
  const random = seeded(4);
  const server = new FakeServer(random);
  const board = client(server, random);
  await until(() => board.seen.live > 0);
  server.cut(1001, "retry_after_ms=7000; the server is stopping");
  await until(() => board.pauses.length > 0);
  assert.ok(board.pauses[0] >= 7_000 && board.pauses[0] <= 8_750, String(board.pauses[0]));
  board.feed.stop();
  await board.done;
});

test("pauses grow up to a limit and differ between pages", async () => {
  const pausesOf = async (seed) => {
    const random = seeded(seed);
    const server = new FakeServer(random);
    server.isAway = true;
    const board = client(server, random);
    await until(() => board.pauses.length >= 12);
    board.feed.stop();
    await board.done;
    return board.pauses.slice(0, 12);
  };
  const [one, other] = [await pausesOf(1), await pausesOf(2)];
  assert.notDeepEqual(one, other);
  assert.ok(one[0] < 2_000 && Math.max(...one) <= 12_000 && one[11] >= 4_000, String(one));
});

test("an answer to an action is not lost during a load", () => {
  const alerts = new Alerts();
  const alert = (revision, status) => ({ id: "a", revision, status, updated_at: String(revision) });
  alerts.beginLoad();
  alerts.apply(alert(3, "open"));
  alerts.endLoad();
  alerts.beginLoad();
  alerts.apply(alert(4, "resolved"));
  alerts.apply(alert(3, "open"));
  assert.equal(alerts.get("a").status, "resolved", "the page of the collection is older than the answer");
  assert.deepEqual(alerts.endLoad(), []);
});

test("a restored backup may have lower revisions", () => {
  const alerts = new Alerts();
  alerts.beginLoad();
  alerts.apply({ id: "a", revision: 9, status: "open", updated_at: "9" });
  alerts.apply({ id: "b", revision: 1, status: "open", updated_at: "1" });
  alerts.endLoad();
  alerts.beginLoad();
  assert.equal(alerts.apply({ id: "a", revision: 5, status: "acknowledged", updated_at: "5" }), true);
  assert.deepEqual(alerts.endLoad(), ["b"]);
  assert.equal(alerts.get("a").revision, 5);
});

test("an answer that was asked for before a load is no news after it", () => {
  const alerts = new Alerts();
  const alert = (revision, status) => ({ id: "a", revision, status, updated_at: String(revision) });
  alerts.apply(alert(1, "open"));
  const { era } = alerts;
  alerts.beginLoad();
  // Somebody resolved the alert in the gap, so the collection no longer contains it.
  alerts.apply(alert(2, "acknowledged"), era);
  assert.deepEqual(alerts.endLoad(), ["a"]);
  assert.equal(alerts.apply(alert(2, "acknowledged"), era), false);
  assert.equal(alerts.get("a"), undefined);
  alerts.apply(alert(3, "resolved"));
  assert.equal(alerts.apply(alert(4, "open"), era), true, "a newer revision is news at any time");
});

test("a reload shows what a full store has removed", async () => {
  const random = seeded(5);
  const server = new FakeServer(random);
  for (let count = 0; count < 5; count += 1) server.raise();
  const board = client(server, random);
  await until(() => board.seen.live > 0);
  server.alerts.delete("1.1");
  board.feed.reload();
  await until(() => board.active().size === 4);
  assert.equal(board.seen.lost, 0, "a reload is no loss");
  board.feed.stop();
  await board.done;
});
