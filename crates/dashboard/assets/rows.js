// The rows of the list: sorted ids, and the frozen copy that the screen shows while somebody reads.

import { SEVERITIES } from "./alerts.js";

/** @typedef {import("./alerts.js").Alert} Alert */

/**
 * Sorting key of a row. Only the severity and the raise decide, so repeats, notes and
 * acknowledgements never move a row.
 * @typedef {{ rank: number, raised: string, id: string }} Key
 */

/** @param {Alert} alert @param {"severity" | "time"} order @returns {Key} */
export function keyOf(alert, order) {
  const rank = order === "severity" ? SEVERITIES.indexOf(alert.severity) : 0;
  return { rank, raised: alert.timestamp, id: alert.id };
}

/** The worst first, then the newest first. @param {Key} a @param {Key} b */
export function compare(a, b) {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.raised !== b.raised) return a.raised < b.raised ? 1 : -1;
  return a.id < b.id ? -1 : Number(a.id > b.id);
}

/** Ids in the order of their keys. */
export class SortedRows {
  /** @type {Key[]} */
  #keys = [];
  /** @type {Map<string, Key>} */
  #byId = new Map();

  get length() {
    return this.#keys.length;
  }

  /** @param {string} id */
  has(id) {
    return this.#byId.has(id);
  }

  /** @param {string} id */
  key(id) {
    return this.#byId.get(id);
  }

  /** @returns {string[]} */
  ids() {
    return this.#keys.map((key) => key.id);
  }

  /** Replaces all rows. @param {Key[]} keys */
  reset(keys) {
    this.#keys = keys.sort(compare);
    this.#byId = new Map(keys.map((key) => [key.id, key]));
  }

  /** Inserts, moves or (with null) removes a row. @param {string} id @param {Key | null} key */
  set(id, key) {
    const known = this.#byId.get(id);
    if (known) {
      if (key && compare(known, key) === 0) return;
      this.#keys.splice(this.#indexOf(known), 1);
      this.#byId.delete(id);
    }
    if (key) {
      this.#keys.splice(this.#indexOf(key), 0, key);
      this.#byId.set(id, key);
    }
  }

  /** Index of the first key that is not before `key`. @param {Key} key */
  #indexOf(key) {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#keys[middle];
      if (other && compare(other, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * The rows on the screen. While the list is frozen, the screen keeps its rows: new ones wait, and
 * rows that no longer match stay in their places.
 */
export class ShownRows {
  #sorted = new SortedRows();
  /** Rows of the screen while frozen, with the keys of those that no longer match. @type {{ ids: string[], set: Set<string>, gone: Map<string, Key> } | null} */
  #frozen = null;
  /** Ids of the sorted rows, until they change. @type {string[] | null} */
  #ids = null;
  /** Rows that match and are not on the screen. @type {Set<string>} */
  #waiting = new Set();

  /** Ids of the rows on the screen, in order. Do not change the array. */
  get ids() {
    if (this.#frozen) return this.#frozen.ids;
    return this.#ids ??= this.#sorted.ids();
  }

  /** Ids of the rows that wait. */
  get waiting() {
    return this.#waiting;
  }

  get isFrozen() {
    return this.#frozen !== null;
  }

  /** Number of rows that match, on the screen or waiting. */
  get matching() {
    return this.#sorted.length;
  }

  /** Whether a row matches the view. A row on the screen that does not is only a shadow. @param {string} id */
  matches(id) {
    return this.#sorted.has(id);
  }

  /** Ids of all matching rows, in order. */
  matchingIds() {
    return this.#ids ??= this.#sorted.ids();
  }

  freeze() {
    if (this.#frozen) return;
    const ids = this.ids;
    this.#frozen = { ids, set: new Set(ids), gone: new Map() };
    // The frozen array must not change with the sorted rows.
    this.#ids = null;
  }

  /** Shows the rows that wait, and removes those that no longer match. */
  thaw() {
    this.#frozen = null;
    this.#waiting.clear();
  }

  /** Replaces all rows, for another view or after a load. @param {Key[]} keys */
  reset(keys) {
    this.#sorted.reset(keys);
    this.#ids = null;
    this.thaw();
  }

  /** Shows rows at once although the list is frozen: somebody asked for them. @param {string[]} added */
  admit(added) {
    if (!this.#frozen) return;
    const keys = added.flatMap((id) => this.#sorted.key(id) ?? []).filter(({ id }) => !this.#frozen?.set.has(id)).sort(compare);
    const ids = [];
    for (const id of this.#frozen.ids) {
      const key = this.#sorted.key(id) ?? this.#frozen.gone.get(id);
      for (let [next] = keys; key && next && compare(next, key) < 0; [next] = keys) {
        ids.push(next.id);
        keys.shift();
      }
      ids.push(id);
    }
    ids.push(...keys.map(({ id }) => id));
    this.#frozen = { ids, set: new Set(ids), gone: this.#frozen.gone };
    added.forEach((id) => this.#waiting.delete(id));
  }

  /** Inserts, moves or (with null) removes a row. @param {string} id @param {Key | null} key */
  set(id, key) {
    const before = this.#sorted.key(id);
    this.#sorted.set(id, key);
    this.#ids = null;
    if (!this.#frozen) return;
    if (before && !key) this.#frozen.gone.set(id, before);
    if (key && !this.#frozen.set.has(id)) this.#waiting.add(id);
    else this.#waiting.delete(id);
  }
}
