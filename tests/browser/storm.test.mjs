/** The board stays usable under 10,000 alerts and 200 updates per second. Runs with NORTHGATE_FULL. */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { openPage } from "./harness/browser.mjs";
import { Board } from "./harness/board.mjs";
import { Client, SEVERITIES } from "./harness/client.mjs";
import { eventually } from "./harness/eventually.mjs";
import { Server } from "./harness/server.mjs";
import { longTest } from "./harness/tools.mjs";

const ALERTS = 10_000;
const UPDATES_PER_SECOND = 200;
const SECONDS = 30;
/** Rows in the document at most. */
const ROWS_MAX = 200;
/** Rows that are compared: the row that Tab reaches may be in the document after the visible ones. */
const FIRST = 15;
/** Upper bound of the page's heap after the storm, in bytes. */
const HEAP_MAX = 64 * 1024 * 1024;

/** Sends many requests, a few at the same time. @param {number} count @param {(index: number) => Promise<unknown>} send */
async function inParallel(count, send) {
  let next = 0;
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (next < count) {
      next += 1;
      await send(next - 1);
    }
  }));
}

longTest("a storm leaves the document and the heap small", async (t) => {
  const server = await Server.start(t, { flags: ["--memory-alerts", "20000", "--repeat-window", "0s"] });
  const client = new Client(server);
  await inParallel(ALERTS, (index) => client.raise({
    message: `Sensor ${index} reports a value out of range`,
    location: `Hall ${index % 40}`,
    severity: SEVERITIES[index % 4],
    dedup_key: `sensor ${index}`,
    labels: { zone: index % 2 === 0 ? "west" : "east" },
  }));
  const page = await openPage(t);
  await page.addInitScript(() => {
    const tasks = /** @type {number[]} */ ([]);
    Object.assign(globalThis, { longTasks: tasks });
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
      .observe({ type: "longtask", buffered: true });
  });
  const started = performance.now();
  const board = await new Board(page).open(server);
  t.diagnostic(`live with ${ALERTS} alerts after ${Math.round(performance.now() - started)} ms`);
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  t.diagnostic(`first paint after ${Math.round(paint ?? NaN)} ms`);
  const longTasks = () => page.evaluate(() => [.../** @type {any} */ (globalThis).longTasks]);
  const before = (await longTasks()).length;

  // A tenth of the updates raise, the others repeat, acknowledge and resolve.
  const alerts = await client.alerts();
  let mostRows = 0;
  for (let second = 0; second < SECONDS; second += 1) {
    const next = pause(1_000);
    await inParallel(UPDATES_PER_SECOND, async (index) => {
      const number = second * UPDATES_PER_SECOND + index;
      const { id } = alerts[number % alerts.length];
      switch (index % 10) {
        case 0: return client.raise({ message: `New alert ${number}`, severity: SEVERITIES[number % 4] });
        case 1: return client.act(id, "acknowledge", "Ben").catch(() => null);
        case 2: return client.act(id, "resolve", "Ben").catch(() => null);
        default: return client.raise({ dedup_key: `sensor ${number % ALERTS}`, message: "Again" });
      }
    });
    mostRows = Math.max(mostRows, (await board.rows()).length);
    // The rate of the updates, not a wait for a result.
    await next;
  }

  assert.ok(mostRows <= ROWS_MAX, `${mostRows} rows were in the document`);
  await board.becomes("live");
  await eventually("the counts agree", async () => {
    assert.deepEqual({ ...await board.counts() }, await client.openCounts());
  });
  const expected = (await client.alerts()).slice(0, FIRST).map(({ id }) => id);
  await eventually("the first rows agree", async () => {
    assert.deepEqual((await board.rows()).slice(0, FIRST).map(({ id }) => id), expected);
  });
  const debug = await page.context().newCDPSession(page);
  await debug.send("HeapProfiler.collectGarbage");
  const { usedSize } = await debug.send("Runtime.getHeapUsage");
  const tasks = (await longTasks()).slice(before);
  t.diagnostic(`heap ${(usedSize / 1024 / 1024).toFixed(1)} MiB, ${mostRows} rows`);
  t.diagnostic(`${tasks.length} long tasks, the longest ${Math.round(Math.max(0, ...tasks))} ms`);
  assert.ok(usedSize < HEAP_MAX, `the heap has ${usedSize} bytes`);
});
