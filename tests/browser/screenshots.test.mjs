/** Takes pictures of the states of the board in both themes, for people to look at. */

import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { NETWORK_ERRORS } from "./harness/browser.mjs";
import { Client, SEVERITIES } from "./harness/client.mjs";
import { eventually } from "./harness/eventually.mjs";
import { Proxy } from "./harness/proxy.mjs";
import { anotherBoard, openBoard } from "./harness/scene.mjs";
import { takePicture, THEMES } from "./harness/screenshots.mjs";
import { Server } from "./harness/server.mjs";
import { longTest, SCREENSHOTS } from "./harness/tools.mjs";

const DOCS = new URL("../../docs", import.meta.url).pathname;

mkdirSync(SCREENSHOTS, { recursive: true });

const MESSAGES = [
  ["Smoke detector 3 reports smoke", "Hall C, north wall"],
  ["Pump 2 is warm", "Hall B"],
  ["Disk is 91 % full", "db-1"],
  ["Door stays open for more than two minutes", "North gate"],
  ["Backup has not run since yesterday", "archive-2"],
  ["Intruder detected", "Fence, section 12"],
];

/** Raises a plausible set of alerts. @param {Client} client */
async function prepare(client) {
  const alerts = [];
  for (let index = 0; index < 24; index += 1) {
    const [message, location] = MESSAGES[index % MESSAGES.length];
    const severity = SEVERITIES[Math.min(3, index % 5)];
    alerts.push(await client.raise({
      message, location, severity,
      source: "plc-1",
      labels: { zone: index % 2 === 0 ? "west" : "east", line: String(index % 4) },
      dedup_key: `alert ${index}`,
      url: "https://runbooks.example.com/pump",
    }));
  }
  await client.raise({ dedup_key: "alert 1" });
  await client.act(alerts[0].id, "acknowledge", "Ben", "Looking at it");
  await client.act(alerts[5].id, "acknowledge", "Chinwe");
  await client.act(alerts[2].id, "resolve", "Ben");
}

/** Opens a row's panel. @param {import("./harness/board.mjs").Board} board */
async function openFirst(board) {
  const [{ id }] = await board.rows();
  await board.row(id).click();
  await board.panel.getByText("Raised").first().waitFor();
  await board.page.mouse.move(5, 5);
  return id;
}

for (const theme of THEMES) {
  longTest(`pictures of the ${theme} theme while the board is live`, async (t) => {
    const { board, client, server } = await openBoard(t, { theme, prepare });
    const { page } = board;
    const take = (/** @type {string} */ name) => takePicture(page, name, theme);
    await eventually("rows are shown", async () => (await board.rows()).length > 0);
    await take("list");
    const id = await openFirst(board);
    await take("panel");
    await board.panel.getByRole("button", { name: /^Acknowledge|^Resolve/ }).first().click();
    await page.getByLabel("Your name").waitFor();
    await take("name");
    await board.enterName("Anna");
    await page.getByRole("button", { name: /^Undo/ }).waitFor();
    await take("undo");
    await board.open(server);
    await eventually("rows are shown", async () => (await board.rows()).length > 4);
    for (const row of (await board.rows()).slice(1, 4)) {
      await board.row(row.id).hover();
      await board.row(row.id).getByRole("checkbox").check();
    }
    await take("selection");
    await page.getByRole("button", { name: "Clear" }).click();
    await board.row(id).focus();
    await client.raise({ message: "Fire in hall C", severity: "critical" });
    await board.new.waitFor();
    await take("new");
    await board.open(server, "/?view=resolved");
    await eventually("rows are shown", async () => (await board.rows()).length > 0);
    await take("resolved");
    await board.open(server, "/?severity=critical&label.zone=west&q=pump");
    await take("filtered");
    await page.getByRole("button", { name: /ettings/ }).click();
    await page.getByRole("dialog").waitFor();
    await take("settings");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await take("keys");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.setViewportSize({ width: 360, height: 740 });
    await board.open(server);
    await eventually("rows are shown", async () => (await board.rows()).length > 0);
    await take("narrow-list");
    await openFirst(board);
    await take("narrow-panel");
    await page.setViewportSize({ width: 2560, height: 1440 });
    await take("wide");
  });

  longTest(`pictures of the ${theme} theme while the connection fails`, async (t) => {
    const server = await Server.start(t);
    const client = new Client(server);
    await prepare(client);
    const proxy = await Proxy.start(t, server);
    const board = await anotherBoard(t, proxy, { theme, allow: NETWORK_ERRORS });
    await eventually("rows are shown", async () => (await board.rows()).length > 0);
    proxy.cut();
    await board.becomes("lost");
    await takePicture(board.page, "lost", theme);
    await client.raiseMany(3);
    proxy.forward();
    await board.becomes("live", 60_000);
    await eventually("the line is shown", async () => await board.missed() !== null);
    await takePicture(board.page, "missed", theme);
  });

  longTest(`pictures of the ${theme} theme without alerts`, async (t) => {
    const { board, client } = await openBoard(t, { theme });
    await board.says("No alert has been raised yet");
    await takePicture(board.page, "first", theme);
    const { id } = await client.raise();
    await board.row(id).waitFor();
    await client.act(id, "resolve", "Ben");
    await board.says("All clear");
    await takePicture(board.page, "clear", theme);
  });
}

const SCENARIO = ["--generator-scenario", "busy", "--board-name", "Plant 4"];

for (const theme of THEMES) {
  longTest(`the picture of the README in the ${theme} theme`, async (t) => {
    const { board } = await openBoard(t, { theme, flags: SCENARIO });
    const { page } = board;
    await eventually("the scenario fills the screen", async () => (await board.rows()).length > 15);
    await openFirst(board);
    await page.getByText("Raised").last().waitFor();
    await takePicture(page, "readme", theme);
    if (process.env.NORTHGATE_WRITE_DOCS) {
      copyFileSync(join(SCREENSHOTS, `readme-${theme}.png`), join(DOCS, `board-${theme}.png`));
    }
  });
}

for (const type of /** @type {const} */ (["protanopia", "deuteranopia", "tritanopia"])) {
  longTest(`a picture as people with ${type} see the board`, async (t) => {
    const { board } = await openBoard(t, { theme: "dark", prepare });
    const { page } = board;
    await eventually("rows are shown", async () => (await board.rows()).length > 0);
    const session = await page.context().newCDPSession(page);
    await session.send("Emulation.setEmulatedVisionDeficiency", { type });
    await takePicture(page, `vision-${type}`, "dark");
  });
}
