/** Situations in which a board could show or do something wrong, each found by an attack on it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { NETWORK_ERRORS } from "./harness/browser.mjs";
import { eventually } from "./harness/eventually.mjs";
import { openBoard } from "./harness/scene.mjs";

const HIGH = { width: 1366, height: 4_000 };

test("a key without a focused row acts on nothing", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(6) });
  await board.shows(() => client.alerts());
  await board.page.getByRole("button", { name: "Settings" }).click();
  await board.page.getByLabel("Your name").fill("Anna");
  await board.page.getByRole("button", { name: "Done" }).click();
  await board.page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
  await board.row((await board.rows())[3].id).hover();
  await board.page.keyboard.press("a");
  await board.says("No row has the focus. Move with j and k.");
  await board.page.keyboard.press("x");
  assert.equal(await board.page.locator("[aria-selected=true]").count(), 0);
  assert.deepEqual(await client.alerts("status=acknowledged"), []);
});

test("alerts that a full store removes leave the board", async (t) => {
  const { client, board } = await openBoard(t, { flags: ["--memory-alerts", "20"], viewport: HIGH, prepare: (client) => client.raiseMany(15) });
  await board.shows(() => client.alerts());
  await client.raiseMany(15);
  assert.equal((await client.alerts()).length, 20);
  await board.shows(() => client.alerts());
});

test("rows that have just moved take no click", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(5, { severity: "warning" }) });
  await board.shows(() => client.alerts());
  // The styles of rows at the moment in which a row is inserted above them.
  await board.page.evaluate(() => {
    const grid = document.querySelector("[data-testid=alerts]");
    if (!grid) throw new Error("there is no grid");
    new MutationObserver((records) => {
      const hasRow = records.some(({ addedNodes }) => [...addedNodes].some((node) => node instanceof HTMLElement && node.dataset.testid === "alert"));
      if (!hasRow) return;
      requestAnimationFrame(() => { Object.assign(globalThis, { atMove: [...document.querySelectorAll("[data-testid=alert]")].map((row) => getComputedStyle(row).pointerEvents) }); });
    }).observe(grid, { subtree: true, childList: true });
  });
  await client.raise({ severity: "critical", message: "Fire" });
  const styles = await eventually("the row was inserted", () => board.page.evaluate(() => /** @type {any} */ (globalThis).atMove ?? false));
  assert.deepEqual(new Set(styles), new Set(["none"]));
  await eventually("rows take clicks again", () => board.page.evaluate(() =>
    [...document.querySelectorAll("[data-testid=alert]")].every((row) => getComputedStyle(row).pointerEvents === "auto")));
});

test("a list that became empty while it was scrolled shows the next alert", async (t) => {
  const { server, client, board } = await openBoard(t, { path: "/?view=all", allow: NETWORK_ERRORS, prepare: (client) => client.raiseMany(60) });
  await eventually("rows are shown", async () => (await board.rows()).length > 10);
  await board.page.locator(".list").evaluate((list) => { list.scrollTop = 500; });
  await server.kill();
  await server.start();
  await board.becomes("live", 60_000);
  const alert = await client.raise({ severity: "critical" });
  await eventually("the alert is on the screen or one press away", async () => {
    if (await board.new.isVisible()) await board.new.click();
    return await board.row(alert.id).isVisible();
  });
});

test("resolved alerts that could not be loaded are not called absent", async (t) => {
  const { client, board } = await openBoard(t, {
    allow: NETWORK_ERRORS,
    prepare: async (client) => {
      const [{ id }] = await client.raiseMany(2);
      await client.act(id, "resolve", "Ben");
    },
  });
  await board.shows(() => client.alerts());
  await board.page.route("**/alerts?**status=resolved**", (route) => route.fulfill({ status: 502, body: "Bad Gateway" }));
  await board.page.getByRole("link", { name: "Resolved" }).click();
  await board.says("The resolved alerts could not be loaded");
  await board.page.unroute("**/alerts?**status=resolved**");
  await board.page.getByRole("button", { name: "Try again" }).click();
  await board.shows(() => client.alerts("status=resolved"));
});

test("a filter that the server refuses shows its reason", async (t) => {
  const { board } = await openBoard(t, { path: `/?view=resolved&q=${"x".repeat(300)}`, allow: NETWORK_ERRORS, prepare: (client) => client.raiseMany(1) });
  await board.says(/at most 256 characters/);
});

test("an address with something else than an id opens no panel", async (t) => {
  for (const id of ["%22%5D", "..%2F..%2Fx", "0b6d1f5e-95b4-4f0e-8f2f-5a5c6f4f8a10%2Fresolve%3Fx%3D"]) {
    const { client, board } = await openBoard(t, { path: `/?alert=${id}`, prepare: (client) => client.raiseMany(1) });
    await board.shows(() => client.alerts());
    assert.equal(await board.panel.count(), 0, id);
  }
});

test("the copy of the page is never the error page of a proxy", async (t) => {
  const { board } = await openBoard(t);
  const [isActive, hasCopy] = await board.page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    const page = await caches.match(new URL(".", location.href).href, { ignoreVary: true });
    return [registration.active !== null, (await page?.text())?.includes("board-name") ?? false];
  });
  assert.ok(isActive && hasCopy);
});

test("holding a key sends one request", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(1) });
  const [{ id }] = await client.alerts();
  await board.row(id).focus();
  await board.page.keyboard.press("a");
  await board.enterName("Anna");
  await eventually("it is acknowledged", async () => (await client.alert(id)).status === "acknowledged");
  let requests = 0;
  await board.page.route("**/resolve", (route) => { requests += 1; return route.continue(); });
  await board.row(id).focus();
  await board.page.keyboard.down("r");
  for (let count = 0; count < 5; count += 1) await board.page.keyboard.down("r");
  await board.page.keyboard.up("r");
  await eventually("it is resolved", async () => (await client.alert(id)).status === "resolved");
  assert.equal(requests, 1);
});
