/** Ends what a test has started, the newest first, so that a page never outlives its server. */

/** @typedef {(hasFailed: boolean) => unknown} End */

/** @type {WeakMap<import("node:test").TestContext, End[]>} */
const ends = new WeakMap();

/**
 * Calls `end` after the test. It may throw to make the test fail.
 * @param {import("node:test").TestContext} test
 * @param {End} end
 */
export function atEnd(test, end) {
  const known = ends.get(test);
  if (known) {
    known.unshift(end);
    return;
  }
  const all = [end];
  ends.set(test, all);
  test.after(async () => {
    /** @type {unknown[]} */
    const failures = [];
    for (const one of all) {
      try {
        await one(failures.length > 0 || Boolean(test.error));
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) {
      throw failures[0];
    }
  });
}
