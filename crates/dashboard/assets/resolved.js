// Resolved alerts, which are loaded only for a view that shows them, page by page.

import { signal } from "@preact/signals";
import { filterParameters, STATUSES } from "./view.js";

/** @typedef {import("./alerts.js").Alert} Alert */
/** @typedef {{ alerts: Alert[], previous: string | null }} Page */

/** Alerts of one page. */
const PAGE = 500;
/** Pages that one view loads at most, so that the memory of the page is bounded. */
const PAGES_MAX = 40;
/** Newest raised alerts among which the last resolved one is looked for. */
const RECENT = 20;

export class Resolved {
  #api;
  #take;
  #abort = new AbortController();
  /** Pages of the current view that were loaded. */
  #pages = 0;

  /** @type {import("@preact/signals").Signal<{ isLoading: boolean, older: URL | null, failure: string | null }>} */
  state = signal({ isLoading: false, older: null, failure: null });
  /** The newest resolved alert, for the empty list. @type {import("@preact/signals").Signal<Alert | null>} */
  last = signal(null);

  /** @param {import("./api.js").Api} api @param {(alerts: Alert[]) => void} take receives each page */
  constructor(api, take) {
    this.#api = api;
    this.#take = take;
  }

  /** Loads what a view needs. @param {import("./view.js").View} view */
  load(view) {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#pages = 0;
    if (STATUSES[view.name].includes("resolved")) {
      const parameters = filterParameters(view);
      parameters.set("status", "resolved");
      parameters.set("limit", String(PAGE));
      void this.#loadPage(this.#api.url(`alerts?${parameters}`), this.#abort.signal);
    } else {
      this.state.value = { isLoading: false, older: null, failure: null };
      if (!this.last.value) void this.#loadLast(this.#abort.signal);
    }
  }

  /** Loads the next older page. */
  more() {
    const { older, isLoading } = this.state.value;
    if (older && !isLoading) void this.#loadPage(older, this.#abort.signal);
  }

  /** @param {URL} url @param {AbortSignal} aborted */
  async #loadPage(url, aborted) {
    this.state.value = { isLoading: true, older: url, failure: null };
    try {
      /** @type {Page} */
      const page = await this.#api.get(url, aborted);
      if (aborted.aborted) return;
      this.#take(page.alerts);
      this.#pages += 1;
      const hasMore = page.previous !== null && this.#pages < PAGES_MAX;
      const older = hasMore ? new URL(/** @type {string} */ (page.previous), url) : null;
      this.state.value = { isLoading: false, older, failure: null };
    } catch (error) {
      if (aborted.aborted) return;
      const failure = error instanceof Error ? error.message : String(error);
      this.state.value = { isLoading: false, older: url, failure };
    }
  }

  /** @param {AbortSignal} aborted */
  async #loadLast(aborted) {
    try {
      /** @type {Page} */
      const page = await this.#api.get(`alerts?status=resolved&limit=${RECENT}`, aborted);
      const byTime = page.alerts.sort((a, b) => ((a.resolved_at ?? "") < (b.resolved_at ?? "") ? 1 : -1));
      this.last.value = byTime[0] ?? null;
    } catch {
      // Only a detail of the empty list is missing.
    }
  }
}
