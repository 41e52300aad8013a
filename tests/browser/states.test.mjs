/** Empty, loading, failing and old boards, and the texts for screen readers. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { NETWORK_ERRORS, openPage } from "./harness/browser.mjs";
import { Board } from "./harness/board.mjs";
import { Client } from "./harness/client.mjs";
import { eventually } from "./harness/eventually.mjs";
import { Proxy } from "./harness/proxy.mjs";
import { anotherBoard, openBoard } from "./harness/scene.mjs";
import { Server } from "./harness/server.mjs";
import { longTest } from "./harness/tools.mjs";

const RECONNECTS = 60_000;

test("the first start shows a command that raises the first alert", async (t) => {
  const { client, board, server } = await openBoard(t);
  await board.says("No alert has been raised yet");
  const command = await board.page.getByLabel("Command").innerText();
  assert.match(command, new RegExp(`^curl ${server.address}/alerts `));
  const body = /-d '(.*)'$/.exec(command)?.[1] ?? "";
  const alert = await client.raise(JSON.parse(body));
  await board.shows(async () => [alert]);
});

test("all clear, never any and hidden by filters are different", async (t) => {
  const { client, board, server } = await openBoard(t);
  await board.says("No alert has been raised yet");
  const { id } = await client.raise({ message: "Pump 2 is warm" });
  await board.row(id).waitFor();
  await client.act(id, "resolve", "Ben");
  await board.says("All clear");
  await board.says(/Last resolved:/);
  await client.raise({ message: "Door open", severity: "error" });
  await board.open(server, "/?severity=critical&q=pump");
  await board.says("No active alert has severity = critical and “pump”");
  await board.page.getByRole("button", { name: "Remove both" }).click();
  await board.shows(() => client.alerts());
});

test("a page that is opened again while the server is away shows the last board as old", async (t) => {
  const { server, client, board } = await openBoard(t, { allow: [...NETWORK_ERRORS, /./], onDisk: true, prepare: (client) => client.raiseMany(5) });
  await board.shows(() => client.alerts());
  const rows = await board.rows();
  await board.page.evaluate(async () => (await navigator.serviceWorker.ready).active?.scriptURL);
  await eventually("the page is stored", () => board.page.evaluate(() => navigator.serviceWorker.controller !== null));
  await server.stop();
  await board.becomes("lost");
  await board.page.reload();
  await board.becomes("old");
  assert.deepEqual(await board.rows(), rows);
  await board.says(/The server does not answer\. This is the board of/);
  await server.start();
  await client.raise({ severity: "critical", message: "Fire" });
  await board.becomes("live", RECONNECTS);
  await board.shows(() => client.alerts());
});

test("without a saved board a failing server is named, with what to do", async (t) => {
  const server = await Server.start(t);
  const proxy = await Proxy.start(t, server);
  const page = await openPage(t, { allow: NETWORK_ERRORS });
  await page.route("**/alerts?**", (route) => route.abort());
  await page.goto(proxy.address);
  await page.getByText("The server does not answer").first().waitFor();
  await page.getByText(/curl .*\/health\/ready/).waitFor();
  await page.unroute("**/alerts?**");
  await new Board(page).becomes("live", RECONNECTS);
});

test("junk in the browser's storage does not stop the page", async (t) => {
  for (const junk of ["", "{", "null", "[]", "{\"at\":1,\"alerts\":[1,null,{\"id\":5}]}", "{\"at\":\"x\"}", "{\"at\":1,\"alerts\":[],\"counts\":7}"]) {
    const server = await Server.start(t);
    const client = new Client(server);
    await client.raiseMany(2);
    const page = await openPage(t);
    await page.addInitScript((text) => {
      for (const name of ["board", "theme", "density", "keys"]) localStorage.setItem(`northgate.${name}`, text);
    }, junk);
    const board = await new Board(page).open(server);
    await board.shows(() => client.alerts());
  }
});

test("a draft stays while the connection is lost", async (t) => {
  const server = await Server.start(t);
  const client = new Client(server);
  const { id } = await client.raise();
  const proxy = await Proxy.start(t, server);
  const board = await anotherBoard(t, proxy, { allow: NETWORK_ERRORS });
  await board.press(id, "Add note");
  await board.page.getByLabel("Your name").fill("Anna");
  await board.page.keyboard.press("Enter");
  const field = board.page.getByLabel("Note", { exact: true });
  await field.fill("The pump is off");
  proxy.cut();
  await board.becomes("lost");
  assert.equal(await field.inputValue(), "The pump is off");
  assert.ok(await board.page.getByRole("button", { name: "Save note" }).isDisabled());
  proxy.forward();
  await board.becomes("live", RECONNECTS);
  await board.page.getByRole("button", { name: "Save note" }).click();
  await eventually("the note is stored", async () => (await client.alert(id)).notes?.[0].note === "The pump is off");
});

test("screen readers hear of a critical alert and of a lost connection at once", async (t) => {
  const { server, client, board } = await openBoard(t, { allow: NETWORK_ERRORS });
  const region = (/** @type {string} */ id) => board.page.locator(`#${id}`).textContent();
  assert.equal(await board.page.locator("#assertive").getAttribute("aria-live"), "assertive");
  await client.raise({ severity: "warning", message: "Fan slow" });
  await client.raise({ severity: "critical", message: "Fire in hall C" });
  await eventually("the critical alert is announced", async () => /New critical alert: Fire in hall C/.test(await region("assertive") ?? ""));
  await eventually("the others are summed up", async () => /1 new alert/.test(await region("polite") ?? ""));
  assert.equal(await board.grid.locator("[aria-live]").count(), 0, "the list is not live");
  await server.kill();
  await eventually("the loss is announced", async () => /Connection lost/.test(await region("assertive") ?? ""));
});

test("the title counts critical alerts, and tells that the connection is lost", async (t) => {
  const { server, client, board } = await openBoard(t, { allow: NETWORK_ERRORS, flags: ["--board-name", "Plant 4"] });
  assert.equal(await board.page.title(), "Plant 4 · Northgate");
  await client.raise({ severity: "critical" });
  await eventually("the title has the number", async () => await board.page.title() === "(1) Plant 4 · Northgate");
  await server.kill();
  await eventually("the title tells the loss", async () => /^Lost since \d\d:\d\d · Plant 4/.test(await board.page.title()));
});

test("a hidden tab renders nothing, and its return is one flush", async (t) => {
  const { client, board, server } = await openBoard(t, { prepare: (client) => client.raiseMany(2) });
  await board.shows(() => client.alerts());
  const other = await board.page.context().newPage();
  await other.goto(`${server.address}/health/live`);
  await board.page.evaluate(() => {
    // Headless Chromium shows every tab, so the frames of a hidden one are withheld here.
    Object.assign(globalThis, { frames_waiting: [], changes: 0 });
    globalThis.requestAnimationFrame = (callback) => globalThis.frames_waiting.push(callback);
    new MutationObserver((records) => { globalThis.changes += records.length; }).observe(document.querySelector("[data-testid=alerts]"), { subtree: true, childList: true, attributes: true });
  });
  await client.raiseMany(30);
  await eventually("the counts have arrived", async () => (await board.counts())?.critical === (await client.openCounts()).critical);
  assert.equal(await board.page.evaluate(() => globalThis.frames_waiting.length), 1, "one flush waits");
  assert.equal((await board.rows()).length, 2);
  await board.page.evaluate(() => { for (const callback of globalThis.frames_waiting.splice(0)) callback(performance.now()); });
  await board.shows(async () => (await client.alerts()).slice(0, (await board.rows()).length));
});

longTest("the server is away for a minute", async (t) => {
  const { server, client, board } = await openBoard(t, { onDisk: true, allow: NETWORK_ERRORS, viewport: { width: 1366, height: 2_000 }, prepare: (client) => client.raiseMany(5) });
  await board.shows(() => client.alerts());
  await server.stop();
  await board.becomes("lost");
  const until = performance.now() + 60_000;
  await eventually("a minute has passed", () => performance.now() > until, 90_000);
  assert.equal(await board.connection(), "lost");
  await board.says(/1 minute ago/);
  await server.start();
  await client.raiseMany(3);
  await board.becomes("live", RECONNECTS);
  await board.shows(() => client.alerts());
});
