/** Waits until a condition holds, with a deadline. */

import { setTimeout as pause } from "node:timers/promises";

/** Time after which a condition that does not hold is a failure, in milliseconds. */
export const PATIENCE = 20_000;
/** Time between two checks, in milliseconds. */
const INTERVAL = 50;

/**
 * Calls `check` until it returns without an error and not `false`. Returns what it returned.
 * @template T
 * @param {string} expectation what should become true, for the message of a failure
 * @param {() => T | Promise<T>} check
 * @param {number} [patience] milliseconds
 * @returns {Promise<T>}
 */
export async function eventually(expectation, check, patience = PATIENCE) {
  const deadline = performance.now() + patience;
  for (;;) {
    let failure;
    try {
      const value = await check();
      if (value !== false) {
        return value;
      }
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`not within ${patience} ms: ${expectation}\n${failure?.message ?? ""}`, { cause: failure });
    }
    await pause(INTERVAL);
  }
}
