/** Everybody can use the board: with any theme, width and device, and whatever an alert says. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkWithAxe } from "./harness/axe.mjs";
import { eventually } from "./harness/eventually.mjs";
import { openBoard } from "./harness/scene.mjs";
import { THEMES } from "./harness/screenshots.mjs";
import { longTest } from "./harness/tools.mjs";

const SIZES = [{ width: 360, height: 740 }, { width: 1366, height: 768 }, { width: 2560, height: 1440 }];

/** Texts that break pages which are not careful. */
const HOSTILE = [
  "<img src=x onerror=\"document.title='broken'\"><b>bold</b>",
  "<script>document.title='broken'</script>",
  "</title></script><svg onload=\"document.title='broken'\">",
  "{{constructor.constructor('document.title=1')()}} ${1+1} %s &amp; &lt;",
  "👩‍👩‍👧‍👦 🏳️‍🌈 Z̷̡̛a̸l̶g̷o̸ ﷽",
  "\u202Egnirts desrever\u2066 and more",
  "خطأ في المضخة 12 (north)",
  "x".repeat(4_096),
];

/** Raises alerts of each severity and status. @param {import("./harness/client.mjs").Client} client */
async function prepare(client) {
  const alerts = await client.raiseMany(12, { labels: { zone: "west" }, source: "plc-1" });
  await client.act(alerts[0].id, "acknowledge", "Ben", "Looking at it");
  await client.act(alerts[1].id, "resolve", "Ben");
}

/** Returns by how many pixels the page is wider than its window. @param {import("./harness/board.mjs").Board} board */
function overflow(board) {
  return board.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

for (const theme of THEMES) {
  for (const viewport of SIZES) {
    const define = theme === "dark" && viewport.width < 2_000 || viewport.width === 360 ? test : longTest;
    define(`axe finds nothing in the ${theme} theme at ${viewport.width} pixels`, async (t) => {
      const { client, board } = await openBoard(t, { theme, viewport, prepare });
      const [{ id }] = await client.alerts("status=acknowledged");
      await board.row(id).waitFor();
      const found = { list: await checkWithAxe(board.page) };
      await board.row(id).click();
      await board.panel.getByText("Looking at it").waitFor();
      Object.assign(found, { panel: await checkWithAxe(board.page) });
      await board.panel.getByRole("button", { name: "Resolve" }).click();
      await board.page.getByLabel("Your name").waitFor();
      Object.assign(found, { dialog: await checkWithAxe(board.page) });
      for (const [state, { undecidedContrasts }] of Object.entries(found)) {
        for (const { target, reason } of undecidedContrasts) {
          t.diagnostic(`${state}: contrast not decided: ${target}: ${reason}`);
        }
      }
      // All states are checked before the test fails, so that one run shows every finding.
      const violations = Object.entries(found).flatMap(([state, { violations }]) =>
        violations.map(({ rule, target, reason }) => `${state}: ${rule}: ${target}: ${reason}`));
      assert.deepEqual(violations, []);
    });
  }
}

test("the keyboard alone is enough from start to finish", async (t) => {
  const { client, board } = await openBoard(t, { prepare: (client) => client.raiseMany(4) });
  const { keyboard } = board.page;
  const alerts = await client.alerts();
  await board.shows(() => client.alerts());
  const focused = () => board.page.evaluate(() => document.activeElement?.getAttribute("data-id"));
  // The list is reached with Tab.
  for (let steps = 0; await focused() !== alerts[0].id; steps += 1) {
    assert.ok(steps < 40, "Tab reaches the first row");
    await keyboard.press("Tab");
  }
  await keyboard.press("ArrowDown");
  await eventually("the second row has the focus", async () => await focused() === alerts[1].id);
  await keyboard.press("Enter");
  await board.panel.waitFor();
  await keyboard.press("a");
  await board.page.getByLabel("Your name").waitFor();
  await keyboard.type("Anna");
  await keyboard.press("Enter");
  await eventually("the alert is acknowledged", async () => (await client.alert(alerts[1].id)).acknowledged_by === "Anna");
  await keyboard.press("c");
  await board.page.getByLabel("Note", { exact: true }).waitFor();
  await keyboard.type("On my way");
  await keyboard.press("Control+Enter");
  await eventually("the note is stored", async () => (await client.alert(alerts[1].id)).notes?.length === 1);
  await keyboard.press("Escape");
  await board.panel.waitFor({ state: "detached" });
  await eventually("the focus is in the list again", async () => await focused() === alerts[1].id);
  await keyboard.press("r");
  await eventually("the alert is resolved", async () => (await client.alert(alerts[1].id)).status === "resolved");
  await board.says(/^Resolved “/);
  await keyboard.press("z");
  await eventually("the alert is acknowledged again", async () => (await client.alert(alerts[1].id)).status === "acknowledged");
});

for (const { width, height } of SIZES) {
  const define = width === 2_560 ? longTest : test;
  define(`hostile texts stay texts at ${width} pixels`, async (t) => {
    const { client, board } = await openBoard(t, {
      viewport: { width, height },
      prepare: async (client) => {
        for (const message of HOSTILE) {
          const location = message.slice(0, 256);
          await client.raise({ message, location, source: message.slice(0, 128), labels: { text: location } });
        }
      },
    });
    const alerts = await client.alerts();
    await eventually("all rows are shown", async () => (await board.rows()).length === HOSTILE.length);
    assert.equal(await overflow(board), 0);
    for (const { id, message } of alerts) {
      const text = await board.row(id).innerText();
      const start = message.slice(0, 12).trim();
      assert.ok(text.includes(start), `the row shows ${start}`);
    }
    const heights = await board.page.getByTestId("alert").evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
    assert.equal(new Set(heights).size, 1, "all rows have the same height");
    await board.row(alerts[0].id).click();
    await board.panel.getByText("x".repeat(4_096)).first().waitFor();
    assert.equal(await overflow(board), 0, "the panel makes the page no wider");
    assert.doesNotMatch(await board.page.title(), /broken/);
    assert.equal(await board.page.locator("#board img, #board script, #board b:text('bold')").count(), 0);
  });
}

test("a window of 360 pixels has no horizontal scroll", async (t) => {
  const { client, board } = await openBoard(t, { viewport: SIZES[0], prepare });
  const [{ id }] = await client.alerts();
  await board.row(id).waitFor();
  assert.equal(await overflow(board), 0);
  await board.row(id).click();
  await board.panel.waitFor();
  assert.equal(await overflow(board), 0);
});
