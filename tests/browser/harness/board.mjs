/** Reads and uses the board in a page, through the names that the page promises. */

import assert from "node:assert/strict";
import { eventually, PATIENCE } from "./eventually.mjs";

/** @typedef {{ id: string, severity: string, status: string, revision: number }} Row */

/** The fields of an alert that a row shows. @param {import("./client.mjs").Alert} alert @returns {Row} */
export const rowOf = ({ id, severity, status, revision }) => ({ id, severity, status, revision });

export class Board {
  /** @param {import("playwright-core").Page} page */
  constructor(page) {
    this.page = page;
    this.grid = page.getByTestId("alerts");
    this.new = page.getByTestId("new");
    this.panel = page.getByRole("region", { name: "Alert", exact: true });
    this.gap = page.getByTestId("gap");
  }

  /**
   * Opens the board of a server, and waits until it is live.
   * @param {{ address: string }} server
   * @param {string} [path]
   */
  async open(server, path = "/") {
    await this.page.goto(server.address + path);
    await this.becomes("live");
    return this;
  }

  /** Returns the rows in the document, from the top to the bottom. @returns {Promise<Row[]>} */
  rows() {
    return this.page.evaluate(() => {
      const rows = [...document.querySelectorAll("[data-testid=alert]")].filter((row) => row instanceof HTMLElement);
      const tops = new Map(rows.map((row) => [row, row.getBoundingClientRect().top]));
      rows.sort((a, b) => (tops.get(a) ?? 0) - (tops.get(b) ?? 0));
      return rows.map(({ dataset: { id = "", severity = "", status = "", revision } }) =>
        ({ id, severity, status, revision: Number(revision) }));
    });
  }

  /** @param {string} id */
  row(id) {
    return this.page.locator(`[data-testid=alert][data-id="${id}"]`);
  }

  /** Waits until the rows are exactly these alerts, in this order. @param {() => Promise<import("./client.mjs").Alert[]>} alerts */
  async shows(alerts, patience = PATIENCE) {
    await eventually("the rows are the alerts of the server", async () => {
      assert.deepEqual(await this.rows(), (await alerts()).map(rowOf));
    }, patience);
  }

  /** Returns the numbers of open alerts that the header shows. */
  counts() {
    return this.#data("counts", ["critical", "error", "warning", "info"], Number);
  }

  /** Returns the state of the connection, or undefined before the first render. */
  async connection() {
    return (await this.#data("connection", ["state"], String))?.state;
  }

  /** Waits for a state of the connection. @param {"live" | "late" | "lost" | "old"} state */
  async becomes(state, patience = PATIENCE) {
    await eventually(`the connection is ${state}`, async () => {
      assert.equal(await this.connection(), state);
    }, patience);
  }

  /** Returns the line about alerts that were raised while the page was away, or null. */
  missed() {
    return this.#data("missed", ["count", "from", "until"], String);
  }

  /**
   * Presses a button of a row.
   * @param {string} id
   * @param {"Acknowledge" | "Resolve" | "Reopen" | "Add note"} name
   */
  async press(id, name) {
    await this.row(id).hover();
    await this.row(id).getByRole("button", { name, exact: true }).click();
    // The pointer leaves the list, or the list would wait for the reader.
    await this.page.mouse.move(5, 5);
  }

  /** Presses the button that undoes the last action. */
  async undo() {
    await this.page.getByRole("button", { name: /^Undo/ }).click();
  }

  /** Enters the operator's name in the dialog that asks for it. @param {string} name */
  async enterName(name) {
    await this.page.getByLabel("Your name").fill(name);
    await this.page.keyboard.press("Enter");
    await this.page.getByRole("dialog").waitFor({ state: "detached" });
  }

  /** Waits until the page shows this text. @param {string | RegExp} text */
  async says(text) {
    await this.page.getByText(text).first().waitFor();
  }

  /**
   * Reads the `data-` values of the element with a test id. Returns null if it is absent.
   * @template T
   * @param {string} id
   * @param {string[]} names
   * @param {(text: string) => T} convert
   * @returns {Promise<Record<string, T> | null>}
   */
  async #data(id, names, convert) {
    const data = await this.page.evaluate((testid) => {
      const element = document.querySelector(`[data-testid=${testid}]`);
      return element instanceof HTMLElement ? { ...element.dataset } : null;
    }, id);
    return data && Object.fromEntries(names.map((name) => [name, convert(data[name] ?? "")]));
  }
}
