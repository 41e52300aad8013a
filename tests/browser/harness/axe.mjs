/** Checks a page with the rules of axe-core. */

import { AXE_SOURCE } from "./tools.mjs";

/** Rules of WCAG 2.2 at level AA, and good practice. */
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** @typedef {{ rule: string, help: string, target: string, reason: string }} Finding */

/**
 * Returns violations, and contrasts that axe could not decide.
 * @param {import("playwright-core").Page} page
 * @returns {Promise<{ violations: Finding[], undecidedContrasts: Finding[] }>}
 */
export async function checkWithAxe(page) {
  // The policy of the page forbids inline scripts, but not those of the debugger.
  const debug = await page.context().newCDPSession(page);
  await debug.send("Runtime.evaluate", { expression: `${AXE_SOURCE};0` });
  await debug.detach();
  return await page.evaluate(async (tags) => {
    const axe = /** @type {any} */ (globalThis).axe;
    const { violations, incomplete } = await axe.run(document, { runOnly: tags, resultTypes: ["violations", "incomplete"] });
    const findings = (/** @type {any[]} */ rules) => rules.flatMap(({ id, help, nodes }) =>
      nodes.map((/** @type {any} */ node) => ({
        rule: id,
        help,
        target: node.target.join(" "),
        reason: (node.failureSummary ?? "").replace(/\s+/g, " "),
      })));
    return {
      violations: findings(violations),
      undecidedContrasts: findings(incomplete.filter((/** @type {any} */ { id }) => id === "color-contrast")),
    };
  }, TAGS);
}
