/** Names the programs and packages that `run.sh` prepares, and says so if it did not run. */

import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";

/** @param {string} name */
function variable(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set: start the tests with tests/browser/run.sh`);
  }
  return value;
}

/** Path of the server's program. */
export const BINARY = variable("NORTHGATE_BINARY");
/** Path of Chromium. */
export const CHROMIUM = variable("NORTHGATE_CHROMIUM");
/** Folder for screenshots. */
export const SCREENSHOTS = variable("NORTHGATE_SCREENSHOTS");
/** Whether the tests may take longer than a minute. */
export const IS_FULL = process.env.NORTHGATE_FULL === "1";

// The packages are outside of the source tree, where `import` does not find them.
const require = createRequire(join(variable("NORTHGATE_BROWSER_TOOLS"), "package.json"));
/** The driver of the browser. */
export const playwright = require("playwright-core");
/** Source text of the accessibility rules. */
export const AXE_SOURCE = require("axe-core").source;

/**
 * Defines a test that takes long or repeats another one with other sizes: it runs only with `--full`.
 * @param {string} name
 * @param {(t: import("node:test").TestContext) => Promise<void>} run
 */
export function longTest(name, run) {
  if (IS_FULL) test(name, run);
}
