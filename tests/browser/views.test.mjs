/** The address of the page is the view: it can be shared, reloaded and left with Back. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "./harness/eventually.mjs";
import { openBoard } from "./harness/scene.mjs";

/** Raises alerts of each status and severity. @param {import("./harness/client.mjs").Client} client */
async function prepare(client) {
  const alerts = await client.raiseMany(8);
  await client.raise({ message: "Valve 7 leaks", location: "Yard", severity: "warning", labels: { zone: "west" } });
  await client.act(alerts[4].id, "acknowledge", "Ben");
  await client.act(alerts[5].id, "resolve", "Ben");
}

/** Waits until the address has exactly these parameters. @param {import("./harness/board.mjs").Board} board @param {string} query */
async function addressBecomes(board, query) {
  await eventually(`the address is ${query}`, () => {
    assert.equal(new URL(board.page.url()).search, query);
  });
}

for (const [path, query] of [
  ["/?view=open", "status=open"],
  ["/?view=acknowledged", "status=acknowledged"],
  ["/?view=resolved", "status=resolved"],
  ["/?view=open&severity=critical,error", "status=open&severity=critical,error"],
  ["/?location=Yard", "status=open,acknowledged&location=Yard"],
  ["/?label.zone=west", "status=open,acknowledged&label.zone=west"],
  ["/?q=valv", "status=open,acknowledged&q=valv"],
]) {
  test(`the address ${path} shows what the API selects`, async (t) => {
    const { client, board } = await openBoard(t, { path, prepare });
    assert.ok((await client.alerts(query)).length > 0);
    await board.shows(() => client.alerts(query));
  });
}

test("a view changes the address, and Back returns to the view before", async (t) => {
  const { client, board } = await openBoard(t, { prepare });
  await board.page.getByRole("link", { name: /^Open/ }).click();
  await addressBecomes(board, "?view=open");
  await board.page.getByLabel("Open alerts by severity").getByRole("button", { name: /critical/ }).click();
  await addressBecomes(board, "?view=open&severity=critical");
  await board.shows(() => client.alerts("status=open&severity=critical"));
  await board.page.goBack();
  await addressBecomes(board, "?view=open");
  await board.shows(() => client.alerts("status=open"));
  await board.page.goBack();
  await addressBecomes(board, "");
  await board.shows(() => client.alerts());
  await board.page.goForward();
  await board.shows(() => client.alerts("status=open"));
});

test("an open alert is part of the address", async (t) => {
  const { client, board, server } = await openBoard(t, { prepare });
  const [{ id }] = await client.alerts();
  await board.row(id).click();
  await addressBecomes(board, `?alert=${id}`);
  await board.open(server, `/?alert=${id}`);
  await board.panel.getByRole("heading", { name: "Alert number" }).waitFor();
  await board.page.getByRole("button", { name: "Close panel" }).click();
  await addressBecomes(board, "");
});

test("a search filters while the user types, and one Back ends it", async (t) => {
  const { client, board } = await openBoard(t, { prepare });
  const field = board.page.getByLabel("Search and filter");
  await field.pressSequentially("valve");
  await addressBecomes(board, "?q=valve");
  await board.shows(() => client.alerts("status=open,acknowledged&q=valve"));
  await board.page.goBack();
  await addressBecomes(board, "");
  await board.shows(() => client.alerts());
});

test("a view without rows says what hides them", async (t) => {
  const { client, board } = await openBoard(t, { path: "/?location=Yard&q=pump", prepare });
  await board.says(/No active alert has/);
  await board.page.getByRole("button", { name: "Remove both" }).click();
  await board.shows(() => client.alerts());
});

test("the key / goes to the search, and what is typed next is searched", async (t) => {
  const { client, board } = await openBoard(t, { prepare });
  await board.shows(() => client.alerts());
  const [{ id }] = await board.rows();
  await board.row(id).focus();
  await board.page.keyboard.press("/");
  await board.page.keyboard.type("valve");
  await board.shows(() => client.alerts("status=open,acknowledged&q=valve"));
  await board.says("1 match");
  const twice = await board.page.evaluate(() => {
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    return ids.filter((id, index) => ids.indexOf(id) !== index);
  });
  assert.deepEqual(twice, [], "every id is used once");
});

test("an empty view counts all alerts, also those that were loaded later", async (t) => {
  const { board } = await openBoard(t, { path: "/?location=Nowhere", prepare: (client) => client.raiseMany(300) });
  await board.says("300 active alerts do not match.");
});
