/** The list shows the alerts of the server, in a fixed order. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "./harness/eventually.mjs";
import { openBoard } from "./harness/scene.mjs";

/** Rows in the document at most, however many alerts there are. */
const ROWS_MAX = 200;
/** A page so high that a few dozen rows are all visible. */
const HIGH = { width: 1366, height: 2_000 };

test("rows are the active alerts of the server", async (t) => {
  const { client, board } = await openBoard(t, {
    viewport: HIGH,
    prepare: async (client) => {
      const alerts = await client.raiseMany(12);
      await client.act(alerts[1].id, "acknowledge", "Ben");
      await client.act(alerts[2].id, "resolve", "Ben");
    },
  });
  await board.shows(() => client.alerts());
  assert.equal((await board.rows()).length, 11);
  // The same holds for what happens while the page is open.
  const [first, second] = await client.raiseMany(6);
  await client.act(first.id, "acknowledge", "Ben");
  await client.act(second.id, "resolve", "Ben");
  await board.shows(() => client.alerts());
});

test("the worst alerts come first, then the newest", async (t) => {
  const { board } = await openBoard(t, {
    prepare: async (client) => {
      for (const severity of ["info", "critical", "warning", "error", "critical", "info"]) {
        await client.raise({ severity, message: severity });
      }
    },
  });
  await eventually("all rows are shown", async () => (await board.rows()).length === 6);
  const rows = await board.rows();
  assert.deepEqual(rows.map(({ severity }) => severity), ["critical", "critical", "error", "warning", "info", "info"]);
  const times = await board.page.locator("[data-testid=alert] time").evaluateAll((elements) =>
    Object.fromEntries(elements.map((element) => [
      element.closest("[data-testid=alert]")?.getAttribute("data-id"), element.getAttribute("datetime"),
    ])));
  const [firstTime, secondTime] = rows.map(({ id }) => times[id] ?? "");
  assert.ok(firstTime > secondTime, "the newer critical alert is first");
});

test("a repeat and an acknowledgement move no row", async (t) => {
  const { client, board } = await openBoard(t, {
    prepare: async (client) => {
      for (let index = 0; index < 5; index += 1) {
        await client.raise({ dedup_key: `key ${index}` });
      }
    },
  });
  await board.shows(() => client.alerts());
  const before = (await board.rows()).map(({ id }) => id);
  await client.raise({ dedup_key: "key 0" });
  await client.act(before[2], "acknowledge", "Ben");
  await eventually("both changes are shown", async () => {
    const rows = await board.rows();
    return rows.at(-1)?.revision === 2 && rows[2].status === "acknowledged";
  });
  assert.deepEqual((await board.rows()).map(({ id }) => id), before);
});

test("of a thousand alerts only the visible rows are in the document", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(1_000) });
  const alerts = await client.alerts();
  await eventually("the first row is shown", async () => (await board.rows())[0].id === alerts[0].id);
  assert.ok((await board.rows()).length <= ROWS_MAX);
  assert.equal(await board.grid.getAttribute("aria-rowcount"), "1001");
  await board.row(alerts[0].id).focus();
  await board.page.keyboard.press("End");
  const last = alerts.at(-1)?.id ?? "";
  await eventually("the last row is shown", () => board.row(last).isVisible());
  const rows = await board.rows();
  assert.equal(rows.at(-1)?.id, last);
  assert.ok(rows.length <= ROWS_MAX);
});

test("the counts are those of the server", async (t) => {
  const { client, board } = await openBoard(t, {
    prepare: async (client) => {
      const alerts = await client.raiseMany(10);
      await client.act(alerts[0].id, "acknowledge", "Ben");
      await client.act(alerts[1].id, "resolve", "Ben");
    },
  });
  const agree = () => eventually("the counts agree", async () => {
    assert.deepEqual({ ...await board.counts() }, await client.openCounts());
  });
  await agree();
  await client.raiseMany(3);
  await agree();
});

test("new rows wait while somebody reads", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(3) });
  await board.shows(() => client.alerts());
  const before = await board.rows();
  await board.row(before[1].id).focus();
  const raised = await client.raise({ severity: "critical", message: "Fire in hall C" });
  await board.new.waitFor();
  assert.deepEqual(await board.rows(), before);
  await board.new.click();
  await eventually("the new row is first", async () => (await board.rows())[0].id === raised.id);
});
