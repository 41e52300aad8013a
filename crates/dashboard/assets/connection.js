// The state of the connection, and what was missed while there was none.

import { batch, signal } from "@preact/signals";
import { LATE } from "./feed.js";

/** @typedef {import("./alerts.js").Alert} Alert */
/** @template T @typedef {import("@preact/signals").Signal<T>} Signal */

/**
 * `since` is the server's time of the last word before the connection was lost, or of the saved
 * board. `hasFailed` tells whether an attempt to connect has failed since then.
 * @typedef {{ state: "live" | "late" | "lost" | "old", since: number | null, hasFailed: boolean }} State
 */

/** Alerts that were raised while the connection was lost. @typedef {{ ids: Set<string>, from: number, until: number }} Missed */

/** The server's time is known to about a second. The page counts only alerts that it did not know. */
const CLOCK_SLACK = 2_000;

export class Connection {
  #now;
  /** Alerts that were raised since the connection was lost. @type {Set<string>} */
  #missed = new Set();
  /** Server time of the last word before the connection was lost. @type {number | null} */
  #awaySince = null;
  /** Server time at which a gap begins, until the collection is loaded again. @type {number | null} */
  #gapSince = null;

  /** @type {Signal<State>} */
  state = signal({ state: "old", since: null, hasFailed: false });
  /** @type {Signal<Missed | null>} */
  missed = signal(null);
  /** Times between which events were lost. @type {Signal<{ from: number, until: number } | null>} */
  gap = signal(null);

  /** @param {() => number} now the server's time in milliseconds */
  constructor(now) {
    this.#now = now;
  }

  get isLive() {
    return this.state.value.state === "live";
  }

  /** Whether the board shows the server's state, with a delay of seconds at most. */
  get isCurrent() {
    return this.isLive || this.state.value.state === "late";
  }

  /** The board comes from the browser's storage. @param {number} at server time */
  showsSaved(at) {
    this.state.value = { state: "old", since: at, hasFailed: false };
  }

  /** An alert that the page did not know came with the collection. @param {Alert} alert */
  loaded(alert) {
    const isMissed = this.#gapSince !== null && Date.parse(alert.timestamp) >= this.#gapSince - CLOCK_SLACK;
    if (isMissed) this.#missed.add(alert.id);
  }

  /** An alert was raised while the stream catches up. @param {string} id */
  caughtUp(id) {
    if (this.#awaySince !== null) this.#missed.add(id);
  }

  /** The stream cannot continue where it ended. */
  hasGap() {
    this.#gapSince = this.#awaySince ?? this.#now();
  }

  /** Every event up to now has arrived. Returns the ids of the alerts that were missed, and whether the state changed. */
  becomesLive() {
    const missed = [...this.#missed];
    const hasChanged = !this.isLive;
    const now = this.#now();
    batch(() => {
      if (this.#awaySince !== null && missed.length > 0) {
        const earlier = this.missed.value;
        const ids = new Set([...earlier?.ids ?? [], ...missed]);
        this.missed.value = { ids, from: earlier?.from ?? this.#awaySince, until: now };
      }
      if (this.#gapSince !== null) this.gap.value = { from: this.gap.value?.from ?? this.#gapSince, until: now };
      if (hasChanged) this.state.value = { state: "live", since: null, hasFailed: false };
    });
    this.#missed.clear();
    this.#awaySince = this.#gapSince = null;
    return { missed, hasChanged };
  }

  heard() {
    if (this.state.value.state === "late") this.state.value = { state: "live", since: null, hasFailed: false };
  }

  /** Nothing arrived for some time. @param {number} silence in milliseconds */
  silent(silence) {
    if (this.isLive && silence >= LATE) this.state.value = { state: "late", since: null, hasFailed: false };
  }

  /** The connection is gone. Returns the server time of the last word if it was there before. @param {number} silence in milliseconds */
  lost(silence) {
    if (!this.isCurrent) {
      if (!this.state.value.hasFailed) this.state.value = { ...this.state.value, hasFailed: true };
      return null;
    }
    const at = this.#now() - silence;
    this.#awaySince ??= at;
    this.state.value = { state: "lost", since: at, hasFailed: true };
    return at;
  }
}
