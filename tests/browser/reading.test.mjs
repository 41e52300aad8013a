/** The list stays in its place while somebody reads or selects, and the focus is never lost. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { NETWORK_ERRORS } from "./harness/browser.mjs";
import { eventually } from "./harness/eventually.mjs";
import { Proxy } from "./harness/proxy.mjs";
import { anotherBoard, openBoard } from "./harness/scene.mjs";
import { Server } from "./harness/server.mjs";
import { Client } from "./harness/client.mjs";

const focusedId = (/** @type {import("./harness/board.mjs").Board} */ board) =>
  board.page.evaluate(() => document.activeElement?.getAttribute("data-id"));

test("a resolved alert keeps its row while the pointer is over the list, and leaves later", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(4) });
  await board.shows(() => client.alerts());
  const before = (await board.rows()).map(({ id }) => id);
  await board.row(before[1]).hover();
  await client.act(before[1], "resolve", "Ben");
  await board.row(before[1]).getByText("Resolved").waitFor();
  assert.deepEqual((await board.rows()).map(({ id }) => id), before);
  // The pointer does not move again, so the list moves after three seconds.
  await board.shows(() => client.alerts());
});

test("a line above does not move the rows that somebody reads", async (t) => {
  const server = await Server.start(t, { onDisk: true });
  const client = new Client(server);
  await client.raiseMany(100);
  const proxy = await Proxy.start(t, server);
  const board = await anotherBoard(t, proxy, { allow: NETWORK_ERRORS });
  const alerts = await client.alerts();
  await eventually("the rows are shown", async () => (await board.rows()).length > 10);
  await board.page.locator(".list").evaluate((list) => { list.scrollTop = 1_000; });
  const read = alerts[30].id;
  await board.row(read).waitFor();
  // The strip about the lost connection takes its own place, so the list itself is measured.
  const inList = () => board.row(read).evaluate((row) => row.getBoundingClientRect().top - (row.closest(".list")?.getBoundingClientRect().top ?? 0));
  const before = await inList();
  proxy.cut();
  await board.becomes("lost");
  await client.raiseMany(3);
  proxy.forward();
  await board.becomes("live", 60_000);
  await board.new.waitFor();
  assert.ok(Math.abs(await inList() - before) < 1, `${await inList()} instead of ${before}`);
});

test("waiting rows are shown on request, and the list scrolls to the first of them", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(100, { severity: "warning" }) });
  await eventually("the rows are shown", async () => (await board.rows()).length > 10);
  await board.page.locator(".list").evaluate((list) => { list.scrollTop = 1_500; });
  // A row that is in the document only after the scroll position was rendered.
  const read = (await client.alerts())[42].id;
  await board.row(read).waitFor();
  const fire = await client.raise({ severity: "critical", message: "Fire" });
  await board.new.waitFor();
  assert.equal(await board.new.innerText().then((text) => text.replace(/\s+/g, " ").trim()), "↑ 1 new 1 critical");
  assert.ok(await board.row(read).isVisible());
  await board.new.click();
  await board.row(fire.id).waitFor();
  await eventually("the new row is on the screen", async () => ((await board.row(fire.id).boundingBox())?.y ?? -1) > 0);
  assert.equal(await board.page.evaluate(() => document.activeElement?.id), "list", "the focus is not lost with the button");
});

test("the focus follows its alert, and moves to the next row if the alert leaves", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(6, { severity: "warning" }) });
  await board.shows(() => client.alerts());
  const ids = (await board.rows()).map(({ id }) => id);
  await board.row(ids[2]).focus();
  await client.act(ids[2], "resolve", "Ben");
  await client.raise({ severity: "critical" });
  await board.new.waitFor();
  assert.equal(await focusedId(board), ids[2]);
  // Another view without the alert: the row in its place gets the focus.
  await board.page.evaluate(() => history.pushState(null, "", "?severity=warning"));
  await board.page.evaluate(() => dispatchEvent(new PopStateEvent("popstate")));
  await eventually("the next row has the focus", async () => await focusedId(board) === ids[3]);
});

test("a focused row outside the window keeps the focus", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(200, { severity: "warning" }) });
  const alerts = await client.alerts();
  await board.row(alerts[0].id).focus();
  await board.page.locator(".list").evaluate((list) => { list.scrollTop = 5_000; });
  await eventually("other rows are shown", async () => (await board.rows()).some(({ id }) => id === alerts[125].id));
  assert.equal(await focusedId(board), alerts[0].id);
  assert.equal(await board.row(alerts[0].id).getAttribute("aria-rowindex"), "2");
  await board.page.keyboard.press("j");
  await eventually("the keys go on from there", async () => await focusedId(board) === alerts[1].id);
});

test("alerts that leave the view leave the selection, and the bar says so", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(4, { severity: "warning" }) });
  await board.shows(() => client.alerts());
  const ids = (await board.rows()).map(({ id }) => id);
  for (const id of ids.slice(0, 3)) {
    await board.row(id).hover();
    await board.row(id).getByRole("checkbox").check();
  }
  await client.act(ids[0], "resolve", "Ben");
  await board.says("2 selected");
  await board.says("1 left the view");
});

test("all that match are selected, but nothing that is raised later", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(24, { severity: "warning" }) });
  const alerts = await client.alerts();
  await board.row(alerts[0].id).hover();
  await board.row(alerts[0].id).getByRole("checkbox").check();
  await board.page.getByRole("button", { name: "Select all 24" }).click();
  const later = await client.raise({ severity: "critical", message: "Raised later" });
  await board.new.waitFor();
  await board.page.getByLabel("Selected alerts").getByRole("button", { name: "Resolve" }).click();
  await board.page.getByLabel("Your name").fill("Anna");
  await board.page.keyboard.press("Enter");
  await board.page.getByRole("dialog", { name: "Are you sure?" }).getByText("Resolve 24 alerts?").waitFor();
  await board.page.getByRole("dialog").getByRole("button", { name: "Resolve 24" }).click();
  await board.says("Resolved 24 alerts.");
  assert.deepEqual((await client.alerts()).map(({ id }) => id), [later.id]);
});

test("an action on a critical alert among others asks with numbers", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(4) });
  await board.shows(() => client.alerts());
  await board.page.keyboard.press("j");
  for (let count = 0; count < 3; count += 1) {
    await board.page.keyboard.press("x");
    await board.page.keyboard.press("j");
  }
  await board.says("3 selected");
  await board.page.keyboard.press("a");
  await board.page.getByLabel("Your name").fill("Anna");
  await board.page.keyboard.press("Enter");
  const dialog = board.page.getByRole("dialog", { name: "Are you sure?" });
  await dialog.getByText("Acknowledge 3 alerts?").waitFor();
  await dialog.getByText("One of them is critical.").waitFor();
  await board.page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal((await client.alerts("status=acknowledged")).length, 0);
});

test("single keys can be switched off", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(2) });
  await board.shows(() => client.alerts());
  await board.page.getByRole("button", { name: "Settings" }).click();
  await board.page.getByRole("group", { name: "Single keys" }).getByLabel("Off").check();
  await board.page.getByRole("button", { name: "Done" }).click();
  await board.page.getByRole("dialog").waitFor({ state: "detached" });
  const [{ id }] = await board.rows();
  await board.row(id).focus();
  await board.page.keyboard.press("x");
  await board.page.keyboard.press("?");
  assert.equal(await board.page.getByRole("dialog").count(), 0);
  assert.equal(await board.row(id).getAttribute("aria-selected"), "false");
  await board.page.keyboard.press("ArrowDown");
  await eventually("arrows still move", async () => await focusedId(board) === (await board.rows())[1].id);
});

test("compact rows show at least twenty alerts, and the others at least fourteen", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(60) });
  await client.alerts();
  const visible = () => board.page.evaluate(() => {
    const list = document.querySelector(".list")?.getBoundingClientRect();
    const rows = [...document.querySelectorAll("[data-testid=alert]")].map((row) => row.getBoundingClientRect());
    return rows.filter(({ top, bottom }) => list && top >= list.top && bottom <= list.bottom).length;
  });
  await eventually("rows are shown", async () => await visible() > 10);
  assert.ok(await visible() >= 14, `${await visible()} rows`);
  await board.page.getByRole("button", { name: "Settings" }).click();
  await board.page.getByLabel("Compact").check();
  await board.page.getByRole("button", { name: "Done" }).click();
  await eventually("twenty rows are visible", async () => await visible() >= 20);
  await board.page.reload();
  await eventually("the choice is remembered", async () => await visible() >= 20);
});
