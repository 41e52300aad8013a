// The rows on the screen: brings them up to date once in each animation frame, and keeps them in
// their places while somebody reads.

import { batch, signal } from "@preact/signals";
import { Reading } from "./reading.js";
import { keyOf, ShownRows } from "./rows.js";
import { Selection } from "./selection.js";
import { DEFAULT_VIEW, matcher } from "./view.js";

/** @typedef {import("./alerts.js").Alert} Alert */
/** @typedef {import("./alerts.js").Status} Status */
/** @typedef {import("./view.js").View} View */
/** @template T @typedef {import("@preact/signals").Signal<T>} Signal */

/**
 * The data of one row on the screen.
 * @typedef {object} RowState
 * @property {Alert} alert
 * @property {Status} status the pending one, if an action has no answer yet
 * @property {string | undefined} owner
 * @property {boolean} isPending
 * @property {boolean} isUnknown whether an action got no answer
 * @property {boolean} isGone whether the alert no longer matches the view
 * @property {boolean} isMissed whether it was raised while the connection was lost
 */

/**
 * @typedef {object} Host
 * @property {import("./alerts.js").Alerts} alerts
 * @property {(id: string) => import("./actions.js").Pending | undefined} pending
 * @property {(id: string) => boolean} isMissed
 * @property {(id: string) => boolean} isOpened whether the panel shows the alert
 */

/** Time after a move of rows in which they take no clicks, in milliseconds. */
const SETTLE = 250;
/** Rows that are compared to find out whether rows moved. */
const COMPARED = 200;

/** Whether the rows of one list are still where they were. @param {string[]} before @param {string[]} after */
function hasSameStart(before, after) {
  return before === after || before.slice(0, COMPARED).every((id, index) => after[index] === id);
}

export class Screen {
  #host;
  /** @type {View} */
  #view = DEFAULT_VIEW;
  #matches = matcher(DEFAULT_VIEW);
  /** Alerts that changed since the last flush. @type {Set<string>} */
  #dirty = new Set();
  #isFlushDue = false;
  #mustReset = true;
  #currentIndex = 0;
  /** Timer that ends `isSettling`. */
  #settling = 0;
  /** Signals of the rows in the document. @type {Map<string, Signal<RowState | null>>} */
  #rowSignals = new Map();

  rows = new ShownRows();
  selection = new Selection(this.rows);
  /** Rises when the rows on the screen change. */
  version = signal(0);
  /** Rows that wait while the list is frozen. */
  waiting = signal({ count: 0, critical: 0 });
  /** Id of the row that has the focus, or would get it. @type {Signal<string | null>} */
  current = signal(null);
  /** Whether rows have just moved. */
  isSettling = signal(false);
  /** Id of a row that the list scrolls to. @type {Signal<string | null>} */
  revealed = signal(null);

  /** @param {import("./environment.js").Environment} environment @param {Host} host */
  constructor(environment, host) {
    this.#host = host;
    this.reading = new Reading(environment);
  }

  /** Shows another view. @param {View} view */
  show(view) {
    this.#view = view;
    this.#matches = matcher(view);
    this.selection.clear();
    this.reading.isScrolled = false;
    this.#mustReset = true;
    this.rows.thaw();
    this.flush();
  }

  /** Shows rows that somebody asked for, although the list is frozen. Rows that wait still wait. @param {string[]} ids */
  admit(ids) {
    this.flush();
    this.rows.admit(ids);
    this.#rowsMoved();
    this.version.value += 1;
  }

  /** Rows have moved: a click that comes now was meant for another row. */
  #rowsMoved() {
    clearTimeout(this.#settling);
    this.isSettling.value = true;
    this.#settling = setTimeout(() => { this.isSettling.value = false; }, SETTLE);
  }

  /** Forgets resolved alerts beyond the bound. */
  trim() {
    this.touch(this.#host.alerts.trim((id) => this.#rowSignals.has(id) || this.rows.matches(id)));
  }

  /** Sorts all rows again when the list is not frozen. */
  reset() {
    this.#mustReset = true;
    this.#requestFlush();
  }

  /** Call this about once a second: the list thaws some time after somebody read it. */
  tick() {
    if (this.rows.isFrozen && !this.#isReading) this.#requestFlush();
  }

  /** Marks alerts for the next flush. @param {Iterable<string>} ids */
  touch(ids) {
    for (const id of ids) this.#dirty.add(id);
    if (this.#dirty.size > 0) this.#requestFlush();
  }

  #requestFlush() {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    // A hidden tab gets no animation frame, so it renders nothing, and one flush when it returns.
    requestAnimationFrame(() => this.flush());
  }

  /** Brings the rows up to date with everything that arrived since the last flush. */
  flush() {
    this.#isFlushDue = false;
    const before = this.rows.ids;
    batch(() => {
      this.#updateReading();
      if (this.#mustReset && !this.rows.isFrozen) {
        this.#resetRows();
        this.#updateReading();
      } else {
        const { order } = this.#view;
        for (const id of this.#dirty) {
          const alert = this.#host.alerts.get(id);
          this.rows.set(id, alert && this.#matches(alert) ? keyOf(alert, order) : null);
        }
      }
      for (const id of this.#dirty) this.#updateRow(id);
      this.#dirty.clear();
      if (!hasSameStart(before, this.rows.ids)) this.#rowsMoved();
      this.selection.update();
      this.#updateWaiting();
      this.#updateCurrent();
      this.version.value += 1;
    });
  }

  #resetRows() {
    const { order } = this.#view;
    const keys = [];
    for (const alert of this.#host.alerts) if (this.#matches(alert)) keys.push(keyOf(alert, order));
    this.rows.reset(keys);
    this.#mustReset = false;
  }

  #updateWaiting() {
    const { waiting } = this.rows;
    let critical = 0;
    for (const id of waiting) if (this.#host.alerts.get(id)?.severity === "critical") critical += 1;
    const { value } = this.waiting;
    if (value.count !== waiting.size || value.critical !== critical) {
      this.waiting.value = { count: waiting.size, critical };
    }
  }

  /** Moves the current row to the row that is now in its place, if its alert left the list. */
  #updateCurrent() {
    const { ids } = this.rows;
    const id = this.current.value;
    const index = id === null ? -1 : ids.indexOf(id);
    if (index >= 0) {
      this.#currentIndex = index;
    } else {
      const place = Math.min(this.#currentIndex, ids.length - 1);
      this.current.value = ids[Math.max(0, place)] ?? null;
    }
  }

  /** @param {string} id */
  #updateRow(id) {
    const row = this.#rowSignals.get(id);
    if (row) row.value = this.#rowState(id);
  }

  /** @param {string} id @returns {RowState | null} */
  #rowState(id) {
    const alert = this.#host.alerts.get(id);
    if (!alert) {
      // The server removed the alert. Its row stays until the list moves again.
      const last = this.#rowSignals.get(id)?.peek() ?? null;
      return last && { ...last, isGone: true };
    }
    const pending = this.#host.pending(id);
    return {
      alert,
      status: pending?.status ?? alert.status,
      owner: pending ? pending.status === "acknowledged" ? pending.by : undefined : alert.acknowledged_by,
      isPending: pending !== undefined,
      isUnknown: pending?.isUnknown ?? false,
      isGone: !this.rows.matches(id),
      isMissed: this.#host.isMissed(id),
    };
  }

  /** The signal of an alert that is in the document. @param {string} id */
  row(id) {
    let row = this.#rowSignals.get(id);
    if (!row) {
      row = signal(this.#rowState(id));
      this.#rowSignals.set(id, row);
    }
    return row;
  }

  /** Forgets the signal of a row that left the document. @param {string} id */
  release(id) {
    if (!this.#host.isOpened(id)) this.#rowSignals.delete(id);
  }

  /** Call this after a change of `reading`. */
  readingChanged() {
    if (this.#isReading && !this.rows.isFrozen) this.#updateReading();
  }

  get #isReading() {
    return this.reading.isActive || this.selection.size > 0;
  }

  #updateReading() {
    if (!this.#isReading) {
      if (this.rows.isFrozen) this.#thaw();
    } else if (!this.#mustReset) {
      this.rows.freeze();
    }
  }

  #thaw() {
    this.rows.thaw();
    for (const id of this.#rowSignals.keys()) this.#updateRow(id);
  }

  /** Shows the rows that wait, and scrolls to the first of them. */
  revealWaiting() {
    const waiting = new Set(this.rows.waiting);
    batch(() => {
      this.#thaw();
      this.revealed.value = this.rows.ids.find((id) => waiting.has(id)) ?? null;
      this.flush();
    });
  }
}
