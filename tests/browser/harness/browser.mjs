/** Starts one Chromium for a test file, and opens pages that must not report an error. */

import { after } from "node:test";
import { atEnd } from "./ends.mjs";
import { CHROMIUM, playwright } from "./tools.mjs";

/** Time limit of one step in the browser, in milliseconds. */
const STEP = 15_000;
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Makes `performance.memory` exact.
  "--enable-precise-memory-info",
];

/** What the browser writes when a request or a connection fails, for tests that make them fail. */
export const NETWORK_ERRORS = [/Failed to load resource/, /WebSocket connection to .* failed/];

/** @type {Promise<import("playwright-core").Browser> | null} */
let browser = null;
after(async () => {
  await (await browser)?.close();
});

/** Returns the browser of this test file. */
export function theBrowser() {
  browser ??= playwright.chromium.launch({ executablePath: CHROMIUM, args: FLAGS, headless: true });
  return /** @type {Promise<import("playwright-core").Browser>} */ (browser);
}

/**
 * @typedef {object} PageOptions
 * @property {{ width: number, height: number }} [viewport]
 * @property {"light" | "dark"} [theme]
 * @property {"reduce" | "no-preference"} [motion]
 * @property {RegExp[]} [allow] errors that do not fail the test
 * @property {number} [clockShift] milliseconds by which the clock of the page is wrong
 */

/**
 * Opens an empty page with storage of its own. When the test ends, each error in the console, each
 * exception and each violation of the page's policy fails it.
 * @param {import("node:test").TestContext} test
 * @param {PageOptions} [options]
 */
export async function openPage(test, options = {}) {
  const { viewport = { width: 1366, height: 768 }, theme = "light", motion = "reduce", allow = [], clockShift = 0 } = options;
  const context = await (await theBrowser()).newContext({ viewport, colorScheme: theme, reducedMotion: motion });
  context.setDefaultTimeout(STEP);
  if (clockShift !== 0) {
    await context.addInitScript(shiftClock, clockShift);
  }
  const page = await context.newPage();
  /** @type {string[]} */
  const errors = [];
  page.on("console", (message) => {
    if (message.type() === "error" || /Content Security Policy|Trusted Type/.test(message.text())) {
      errors.push(`${message.text()} (${message.location().url})`);
    }
  });
  page.on("pageerror", (error) => errors.push(String(error.stack ?? error)));
  page.on("crash", () => errors.push("the page crashed"));
  atEnd(test, async () => {
    await context.close();
    const unexpected = errors.filter((text) => !allow.some((pattern) => pattern.test(text)));
    if (unexpected.length > 0) {
      throw new Error(`the page reported errors:\n${unexpected.join("\n")}`);
    }
  });
  return page;
}

/** Makes the clock of the page wrong. Runs in the page, before its scripts. @param {number} shift */
function shiftClock(shift) {
  const RealDate = Date;
  globalThis.Date = /** @type {any} */ (class extends RealDate {
    /** @param {any[]} parts */
    constructor(...parts) {
      if (parts.length === 0) super(RealDate.now() + shift);
      else super(.../** @type {[any]} */ (parts));
    }

    static now() {
      return RealDate.now() + shift;
    }
  });
}
