// The selected alerts.

import { batch, signal } from "@preact/signals";

/** @template T @typedef {import("@preact/signals").Signal<T>} Signal */

export class Selection {
  #rows;
  /** Row from which a range is selected. @type {string | null} */
  #anchor = null;

  /** @type {Signal<Set<string>>} */
  ids = signal(new Set());
  /** Position up to which "all that match" are selected; null if single rows are. @type {Signal<string | null>} */
  allUntil = signal(null);
  /** Number of alerts that left the selection because they left the view. */
  left = signal(0);

  /** @param {import("./rows.js").ShownRows} rows */
  constructor(rows) {
    this.#rows = rows;
  }

  get size() {
    return this.ids.value.size;
  }

  /** Ids of the selected alerts, in the order of the rows. */
  inOrder() {
    const { value } = this.ids;
    const shown = this.#rows.ids.filter((id) => value.has(id));
    // "All that match" can contain alerts that still wait for their rows.
    return shown.length === value.size ? shown : [...value];
  }

  /** Selects or deselects a row. With `range`, selects every row from the last one to this one. @param {string} id @param {boolean} range */
  toggle(id, range) {
    const ids = new Set(this.ids.value);
    const rows = this.#rows.ids;
    const [from, to] = [this.#anchor === null ? -1 : rows.indexOf(this.#anchor), rows.indexOf(id)];
    if (range && from >= 0) {
      for (const one of rows.slice(Math.min(from, to), Math.max(from, to) + 1)) {
        if (this.#rows.matches(one)) ids.add(one);
      }
    } else if (!ids.delete(id) && this.#rows.matches(id)) {
      ids.add(id);
    }
    this.#anchor = id;
    this.#set(ids, null);
  }

  /** Selects every alert that matches the view. @param {string} position of the newest event that the page knows */
  selectAll(position) {
    this.#set(new Set(this.#rows.matchingIds()), position);
  }

  clear() {
    this.#set(new Set(), null);
  }

  /** Alerts that left the view leave the selection. */
  update() {
    const { value } = this.ids;
    if (value.size === 0) return;
    const rest = [...value].filter((id) => this.#rows.matches(id));
    const left = value.size - rest.length;
    if (left === 0) return;
    batch(() => {
      this.left.value = rest.length === 0 ? 0 : this.left.value + left;
      this.ids.value = new Set(rest);
      if (rest.length === 0) this.allUntil.value = null;
    });
  }

  /** @param {Set<string>} ids @param {string | null} allUntil */
  #set(ids, allUntil) {
    batch(() => {
      this.ids.value = ids;
      this.allUntil.value = allUntil;
      this.left.value = 0;
    });
  }
}
