// The counts of the header: the server's numbers, not those of the loaded rows.

import { signal } from "@preact/signals";
import { Refused } from "./api.js";

/** @typedef {import("./alerts.js").Severity} Severity */
/** @typedef {import("./alerts.js").Status} Status */

/** Number of alerts of each status and severity. @typedef {Record<Status, Record<Severity, number>>} CountsByStatus */

/** Time between two requests, in milliseconds. */
const EVERY = 500;
/** Longest pause after failures, unless the server asks for a longer one, in milliseconds. */
const PAUSE_MAX = 3_000;

/** Number of all alerts. @param {CountsByStatus} counts */
export function totalOf(counts) {
  return Object.values(counts).flatMap((bySeverity) => Object.values(bySeverity)).reduce((sum, number) => sum + number, 0);
}

export class Counts {
  #api;
  #environment;
  #isDue = false;
  #isLoading = false;
  #loadedAt = -Infinity;
  #loaded;
  /** Pause before the next attempt, in milliseconds. */
  #pause = EVERY;
  /** Ends the current pause. */
  #wake = new AbortController();

  /** @type {import("@preact/signals").Signal<CountsByStatus | null>} */
  value = signal(null);

  /**
   * @param {import("./api.js").Api} api
   * @param {import("./environment.js").Environment} environment
   * @param {(counts: CountsByStatus, position: string) => void} loaded receives the numbers and the position at which they are true
   */
  constructor(api, environment, loaded) {
    this.#api = api;
    this.#environment = environment;
    this.#loaded = loaded;
  }

  /** The numbers changed: loads them soon, and once for many changes. */
  due() {
    this.#isDue = true;
    this.retry();
  }

  /** The server answers again: loads the numbers without the pause that failures have caused. */
  connected() {
    this.#pause = EVERY;
    this.#isDue = true;
    this.#wake.abort();
    this.retry();
  }

  /** Loads the numbers if they are due. */
  retry() {
    if (this.#isDue && !this.#isLoading) void this.#load();
  }

  async #load() {
    this.#isLoading = true;
    this.#wake = new AbortController();
    await this.#environment.pause(this.#loadedAt + this.#pause - this.#environment.monotonic(), this.#wake.signal);
    this.#isDue = false;
    try {
      const { counts, position } = await this.#api.get("alerts/summary");
      this.value.value = counts;
      this.#pause = EVERY;
      this.#loaded(counts, position);
    } catch (error) {
      // The board's timer tries again.
      this.#isDue = true;
      const asked = error instanceof Refused ? error.retryAfter : null;
      this.#pause = asked ?? Math.min(this.#pause * 2, PAUSE_MAX);
    }
    this.#loadedAt = this.#environment.monotonic();
    this.#isLoading = false;
    // Something changed while the answer was on its way.
    if (this.#isDue && this.value.peek() !== null) setTimeout(() => this.retry(), EVERY);
  }
}
