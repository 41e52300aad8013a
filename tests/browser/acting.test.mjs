/** Operators act on alerts: the name, conflicts between two of them, and undo. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { NETWORK_ERRORS } from "./harness/browser.mjs";
import { eventually } from "./harness/eventually.mjs";
import { anotherBoard, openBoard } from "./harness/scene.mjs";
import { longTest } from "./harness/tools.mjs";

/** Time for which an action can be undone, with the patience of a slow machine, in milliseconds. */
const UNDO_ENDS = 14_000;

/**
 * Waits until an alert has a status at the server and in the row of a page.
 * @param {import("./harness/client.mjs").Client} client
 * @param {import("./harness/board.mjs").Board} board
 * @param {string} id
 * @param {string} status
 */
async function becomes(client, board, id, status) {
  await eventually(`the alert is ${status}, and its row agrees`, async () => {
    const alert = await client.alert(id);
    assert.equal(alert.status, status);
    const row = (await board.rows()).find((row) => row.id === id);
    // A resolved alert leaves the list.
    if (status === "resolved") assert.equal(row?.status ?? status, status);
    else assert.deepEqual([row?.status, row?.revision], [status, alert.revision]);
  });
}

/**
 * Raises an alert and opens a page in which Anna has entered her name by acknowledging it.
 * @param {import("node:test").TestContext} t
 * @param {Record<string, unknown>} [fields]
 */
async function acknowledged(t, fields = {}) {
  const scene = await openBoard(t, { prepare: (client) => client.raise(fields), allow: NETWORK_ERRORS });
  const [{ id }] = await scene.client.alerts();
  await scene.board.press(id, "Acknowledge");
  await scene.board.enterName("Anna");
  await becomes(scene.client, scene.board, id, "acknowledged");
  return { ...scene, id };
}

test("the first action asks for the name, and the browser remembers it", async (t) => {
  const { client, board, server } = await openBoard(t, { prepare: (client) => client.raiseMany(2) });
  const [first, second] = await client.alerts();
  await board.press(first.id, "Acknowledge");
  assert.equal((await client.alert(first.id)).status, "open", "nothing happens without a name");
  await board.enterName("Anna");
  await becomes(client, board, first.id, "acknowledged");
  assert.equal((await client.alert(first.id)).acknowledged_by, "Anna");
  await board.open(server);
  await board.press(second.id, "Acknowledge");
  await becomes(client, board, second.id, "acknowledged");
  assert.equal((await client.alert(second.id)).acknowledged_by, "Anna");
});

test("an alert is resolved, and reopened from its panel", async (t) => {
  const { client, board, id } = await acknowledged(t);
  await board.press(id, "Resolve");
  await becomes(client, board, id, "resolved");
  await board.page.goto(`${board.page.url().split("?")[0]}?view=resolved`);
  await board.row(id).click();
  await board.panel.getByRole("button", { name: "Reopen" }).click();
  await eventually("the alert is open", async () => (await client.alert(id)).status === "open");
});

test("a note is added, with its author", async (t) => {
  const { client, board, id } = await acknowledged(t);
  await board.press(id, "Add note");
  await board.page.getByLabel("Note", { exact: true }).fill("The fuse is gone");
  await board.page.getByRole("button", { name: "Save note" }).click();
  await eventually("the server has the note", async () => {
    const { notes = [] } = await client.alert(id);
    assert.deepEqual(notes.map(({ by, note }) => [by, note]), [["Anna", "The fuse is gone"]]);
  });
});

test("two pages that act on one alert at the same time agree", async (t) => {
  const { client, board, server } = await openBoard(t, { prepare: (client) => client.raiseMany(6) });
  const other = await anotherBoard(t, server);
  const alerts = await client.alerts();
  await board.press(alerts[4].id, "Acknowledge");
  await board.enterName("Anna");
  await other.press(alerts[5].id, "Acknowledge");
  await other.enterName("Ben");
  for (const { id } of alerts.slice(0, 4)) {
    // The page that is late may find the button gone: then it has already learned who was first.
    await Promise.allSettled([board, other].map((page) =>
      page.row(id).locator("button", { hasText: "Acknowledge" }).dispatchEvent("click", undefined, { timeout: 1_000 })));
    await becomes(client, board, id, "acknowledged");
    await becomes(client, other, id, "acknowledged");
    const owner = (await client.alert(id)).acknowledged_by ?? "";
    const [mine, theirs] = owner === "Anna" ? [board, other] : [other, board];
    await mine.row(id).getByText("You", { exact: true }).waitFor({ state: "attached" });
    await theirs.row(id).getByText(owner, { exact: true }).waitFor({ state: "attached" });
  }
});

test("the operator who is second reads who was first", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(2) });
  const [first, second] = await client.alerts();
  await board.press(second.id, "Acknowledge");
  await board.enterName("Anna");
  await becomes(client, board, second.id, "acknowledged");
  // Ben acts while the request of Anna is on its way.
  await board.page.route("**/acknowledge", async (route) => {
    await client.act(first.id, "acknowledge", "Ben");
    await route.continue();
  });
  await board.press(first.id, "Acknowledge");
  await board.says(/Ben has had “.*” since \d\d:\d\d/);
  await becomes(client, board, first.id, "acknowledged");
  assert.equal((await client.alert(first.id)).acknowledged_by, "Ben");
});

test("an action that is refused says why", async (t) => {
  const { client, board, id } = await acknowledged(t);
  await board.undo();
  await becomes(client, board, id, "open");
  await board.page.route("**/acknowledge", async (route) => {
    await client.act(id, "resolve", "Ben");
    await route.continue();
  });
  await board.press(id, "Acknowledge");
  await board.says(/Not acknowledged: resolved by Ben at \d\d:\d\d:\d\d/);
});

test("an action is undone", async (t) => {
  const { client, board, id } = await acknowledged(t);
  await board.undo();
  await board.says(/^Undone/);
  await becomes(client, board, id, "open");
});

longTest("undo is offered for ten seconds", async (t) => {
  const { board } = await acknowledged(t);
  const button = board.page.getByRole("button", { name: /^Undo/ });
  const seconds = Number(/\d+/.exec(await button.innerText())?.[0]);
  assert.ok(seconds > 5 && seconds <= 10, `${seconds} seconds are left at first`);
  await button.waitFor({ state: "detached", timeout: UNDO_ENDS });
});

test("undo of a resolve gives the alert back to its owner", async (t) => {
  const { client, board, id } = await acknowledged(t);
  await board.press(id, "Resolve");
  await board.says(/^Resolved “/);
  await board.undo();
  await becomes(client, board, id, "acknowledged");
  assert.equal((await client.alert(id)).acknowledged_by, "Anna");
});

test("undo does not reopen what somebody else has resolved", async (t) => {
  const { client, board, id } = await acknowledged(t);
  await client.act(id, "resolve", "Ben");
  await board.undo();
  await board.says(/Not undone: resolved by Ben at \d\d:\d\d:\d\d/);
  assert.equal((await client.alert(id)).status, "resolved");
});

test("undo works although a repeat came first", async (t) => {
  const { client, board, id } = await acknowledged(t, { dedup_key: "pump" });
  /** @type {number[]} */
  const answers = [];
  board.page.on("response", (answer) => {
    if (answer.url().endsWith("/unacknowledge")) answers.push(answer.status());
  });
  await board.page.route("**/unacknowledge", async (route) => {
    if (answers.length === 0) await client.raise({ dedup_key: "pump" });
    await route.continue();
  });
  await board.undo();
  await becomes(client, board, id, "open");
  await board.says(/^Undone/);
  assert.deepEqual(answers, [412, 200]);
});

test("a note without an answer is sent again, and stored once", async (t) => {
  const { client, board, id } = await acknowledged(t);
  /** @type {(string | undefined)[]} */
  const keys = [];
  await board.page.route("**/notes", async (route) => {
    keys.push(route.request().headers()["idempotency-key"]);
    if (keys.length > 1) {
      await route.continue();
      return;
    }
    await route.fetch();
    await route.abort();
  });
  await board.press(id, "Add note");
  await board.page.getByLabel("Note", { exact: true }).fill("Once");
  await board.page.getByRole("button", { name: "Save note" }).click();
  await board.says(/Unknown whether/);
  await board.says(/^Added a note to/);
  assert.equal((await client.alert(id)).notes?.length, 1);
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1]);
});

test("many alerts are acknowledged at once, and undone", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(5, { severity: "warning" }) });
  const alerts = await client.alerts();
  for (const { id } of alerts.slice(0, 3)) {
    await board.row(id).hover();
    await board.row(id).getByRole("checkbox").check();
  }
  await board.page.getByLabel("Selected alerts").getByRole("button", { name: "Acknowledge" }).click();
  await board.enterName("Anna");
  const numbers = async () => (await client.alerts("status=acknowledged")).length;
  await eventually("three are acknowledged", async () => await numbers() === 3);
  await board.undo();
  await eventually("none is acknowledged", async () => await numbers() === 0);
});

test("a button never becomes the opposite action under the pointer", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(1) });
  const [{ id }] = await client.alerts();
  await board.row(id).click();
  const button = board.panel.getByRole("button", { name: "Acknowledge", exact: true });
  const place = async () => JSON.stringify(await button.boundingBox());
  const before = await place();
  await client.act(id, "acknowledge", "Ben");
  await eventually("the button is off", () => button.isDisabled());
  assert.equal(await place(), before);
  await button.click({ force: true });
  await client.act(id, "resolve", "Ben");
  await eventually("the alert can be reopened", () => board.panel.getByRole("button", { name: "Reopen" }).isVisible());
  assert.equal(await place(), before);
  assert.equal(await board.page.getByRole("dialog").count(), 0);
  assert.deepEqual((await client.alert(id)).status, "resolved");
});

test("an action that changes nothing says so, and offers no undo", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(1) });
  const [{ id }] = await client.alerts();
  await board.row(id).focus();
  await board.page.keyboard.press("o");
  await board.enterName("Anna");
  await board.says(/is open already\.$/);
  assert.equal(await board.page.getByRole("button", { name: /^Undo/ }).count(), 0);
  assert.equal((await client.alert(id)).revision, 1);
});

test("undo of a resolution says which owner is lost", async (t) => {
  const { client, board } = await openBoard(t, {
    prepare: async (client) => {
      const { id } = await client.raise();
      await client.act(id, "acknowledge", "Ben");
    },
  });
  const [{ id }] = await client.alerts();
  await board.row(id).waitFor();
  await board.press(id, "Resolve");
  await board.enterName("Anna");
  await board.undo();
  await board.says("It is open now; Ben had it.");
});
