/** The board says what it knows: across restarts, dead links, failing proxies and wrong clocks. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { NETWORK_ERRORS } from "./harness/browser.mjs";
import { Client } from "./harness/client.mjs";
import { eventually } from "./harness/eventually.mjs";
import { Proxy } from "./harness/proxy.mjs";
import { anotherBoard, openBoard } from "./harness/scene.mjs";
import { Server } from "./harness/server.mjs";
import { IS_FULL } from "./harness/tools.mjs";

const RESTARTS = IS_FULL ? 20 : 3;
/** Time in which the page connects again. Its pauses double up to 30 s. */
const RECONNECTS = 60_000;
/** A page so high that all rows are visible. */
const HIGH = { width: 1366, height: 4_000 };
const HOUR = 3_600_000;

/**
 * Opens a board behind a proxy that can break the connection.
 * @param {import("node:test").TestContext} t
 * @param {{ onDisk?: boolean, flags?: string[], prepare?: (client: Client) => Promise<unknown> }} [options]
 */
async function behindProxy(t, options = {}) {
  const server = await Server.start(t, options);
  const client = new Client(server);
  await options.prepare?.(client);
  const proxy = await Proxy.start(t, server);
  const board = await anotherBoard(t, proxy, { viewport: HIGH, allow: NETWORK_ERRORS });
  return { server, client, proxy, board };
}

/** Waits until the rows and the counts are those of the server. @param {Client} client @param {import("./harness/board.mjs").Board} board */
async function agree(client, board) {
  await board.shows(() => client.alerts(), RECONNECTS);
  await eventually("the counts agree", async () => {
    assert.deepEqual({ ...await board.counts() }, await client.openCounts());
  });
}

test("the board survives that the server is killed under it", async (t) => {
  const { server, client, board } = await openBoard(t, {
    onDisk: true,
    viewport: HIGH,
    allow: NETWORK_ERRORS,
    prepare: (client) => client.raiseMany(4),
  });
  await agree(client, board);
  for (let round = 0; round < RESTARTS; round += 1) {
    // A request may be on its way when the server is killed.
    const raising = client.raise({ message: `In round ${round}` }).catch(() => null);
    await server.kill();
    await raising;
    await server.start();
    const [raised] = await client.raiseMany(2, { location: `Round ${round}` });
    const [known] = await client.alerts("status=open");
    await client.act(round % 2 === 0 ? known.id : raised.id, "resolve", "Ben");
    await agree(client, board);
    await board.becomes("live", RECONNECTS);
  }
});

test("alerts that were raised while the page was away are counted", async (t) => {
  const { server, client, proxy, board } = await behindProxy(t, { onDisk: true, prepare: (client) => client.raiseMany(3) });
  await agree(client, board);
  assert.equal(await board.missed(), null);
  const cutAt = Date.now();
  proxy.cut();
  await board.becomes("lost");
  await server.stop();
  await server.start();
  await client.raiseMany(5);
  proxy.forward();
  await board.becomes("live", RECONNECTS);
  await agree(client, board);
  const missed = await eventually("the line is shown", async () => await board.missed() ?? false);
  assert.equal(missed.count, "5");
  const [from, until] = [Date.parse(missed.from), Date.parse(missed.until)];
  // The clock of the page is exact to about a second, because the server's header `Date` is.
  assert.ok(from <= cutAt + 2_000, "the line begins before the connection was lost");
  assert.ok(until >= from && until <= Date.now() + 2_000, "the line ends now");
  const newest = Math.max(...(await client.alerts()).map(({ timestamp }) => Date.parse(timestamp)));
  assert.ok(from - 2_000 <= newest && newest <= until + 2_000, "the alerts are inside of the line's times");
});

test("the data of a server that lost its log are shown, with a line about the gap", async (t) => {
  const { server, client, board } = await openBoard(t, {
    allow: NETWORK_ERRORS,
    prepare: (client) => client.raiseMany(3),
  });
  await agree(client, board);
  await server.kill();
  await server.start();
  const alert = await client.raise({ message: "First alert of the new data" });
  await board.shows(async () => [alert], RECONNECTS);
  await board.gap.waitFor();
});

test("a dead link is late after 8 s and lost after 15 s", async (t) => {
  const { client, proxy, board } = await behindProxy(t, { prepare: (client) => client.raiseMany(2) });
  await agree(client, board);
  const started = performance.now();
  proxy.silence();
  await board.becomes("late");
  const late = performance.now() - started;
  await board.becomes("lost");
  const lost = performance.now() - started;
  t.diagnostic(`late after ${Math.round(late)} ms, lost after ${Math.round(lost)} ms`);
  // The last frame came up to 5 s before the link died. The upper bounds allow a slow machine.
  assert.ok(late > 2_500 && late < 12_000, `late after ${late} ms`);
  assert.ok(lost > 9_500 && lost < 20_000, `lost after ${lost} ms`);
  await client.raise({ message: "Raised behind the dead link" });
  assert.equal((await board.rows()).length, 2);
  proxy.dropAll();
  proxy.forward();
  await board.becomes("live", RECONNECTS);
  await agree(client, board);
});

test("a proxy that answers 502 does not end the attempts", async (t) => {
  const { client, proxy, board } = await behindProxy(t, { prepare: (client) => client.raiseMany(2) });
  await agree(client, board);
  proxy.answerBadGateway();
  await board.becomes("lost");
  // Many failures must not delay the counts after the return.
  await eventually("the page has tried often", () => proxy.refusals >= 4, RECONNECTS);
  await client.raise();
  proxy.forward();
  await board.becomes("live", RECONNECTS);
  await agree(client, board);
});

test("nobody can act while the connection is lost", async (t) => {
  const { client, proxy, board } = await behindProxy(t, { prepare: (client) => client.raiseMany(1) });
  await agree(client, board);
  const [{ id }] = await client.alerts();
  await board.row(id).click();
  const button = board.panel.getByRole("button", { name: "Acknowledge" });
  assert.ok(await button.isEnabled());
  proxy.cut();
  await board.becomes("lost");
  assert.ok(await button.isDisabled());
  await board.page.keyboard.press("a");
  assert.equal((await client.alert(id)).status, "open");
});

for (const [words, clockShift] of /** @type {const} */ ([["an hour slow", -HOUR], ["an hour fast", HOUR]])) {
  test(`ages are right on a computer whose clock is ${words}`, async (t) => {
    const { client, board } = await openBoard(t, { clockShift, prepare: (client) => client.raise() });
    await board.shows(() => client.alerts());
    const [{ id }] = await board.rows();
    await eventually("the age is shown", async () => {
      assert.equal(await board.row(id).locator("time").innerText(), "< 1 min");
    });
  });
}
