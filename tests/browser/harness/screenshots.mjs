/** Takes pictures of states of the board, for people to look at. */

import { join } from "node:path";
import { SCREENSHOTS } from "./tools.mjs";

/** Themes of the board. @type {("light" | "dark")[]} */
export const THEMES = ["light", "dark"];

/**
 * Writes a picture of the page as `<name>-<theme>.png`.
 * @param {import("playwright-core").Page} page
 * @param {string} name
 * @param {string} theme
 */
export async function takePicture(page, name, theme) {
  await page.screenshot({ path: join(SCREENSHOTS, `${name}-${theme}.png`), animations: "disabled" });
}
