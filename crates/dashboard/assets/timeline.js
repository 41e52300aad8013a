// The timeline of the alert in the panel: its stored events, and the events that arrive now.

import { signal } from "@preact/signals";

/** @typedef {import("./alerts.js").Alert} Alert */

/**
 * @typedef {object} Entry
 * @property {"alert" | "alert_update" | "chat" | "remembered"} type
 * @property {string} [change]
 * @property {string} at
 * @property {string} [by]
 * @property {string} [note]
 * @property {number} [count]
 * @property {number} [revision]
 */

/**
 * @typedef {object} Loaded
 * @property {"loading" | "loaded" | "missing" | "failed"} state
 * @property {Entry[]} entries oldest first
 * @property {boolean} isComplete
 * @property {boolean} isFull whether the panel shows as many events as it can
 * @property {string | null} older address of the page with older events
 * @property {string} [reason]
 */

/** @type {Loaded} */
const NOTHING = { state: "loading", entries: [], isComplete: true, isFull: false, older: null };
/** Entries that the panel shows at most; older ones are loaded on request. */
const ENTRIES_MAX = 2_000;

/** The timeline of one alert at a time. */
export class Timeline {
  #api;
  #alerts;
  #apply;
  /** @type {string | null} */
  #id = null;
  #abort = new AbortController();
  /** Events that arrived while the timeline was loading. @type {Entry[]} */
  #early = [];
  /** @type {import("@preact/signals").Signal<Loaded>} */
  loaded = signal(NOTHING);

  /**
   * @param {import("./api.js").Api} api
   * @param {import("./alerts.js").Alerts} alerts
   * @param {(alert: Alert, era: number) => void} apply takes the alert of an answer to a request of that load
   */
  constructor(api, alerts, apply) {
    this.#api = api;
    this.#alerts = alerts;
    this.#apply = apply;
  }

  /** Shows another alert, or none. @param {string | null} id */
  open(id) {
    if (id === this.#id) return;
    this.#id = id;
    this.#abort.abort();
    this.#early = [];
    this.loaded.value = NOTHING;
    if (id !== null) void this.#load(id, `alerts/${id}/timeline?limit=100`);
  }

  /** Loads the timeline again, after a gap or a failure. */
  reload() {
    const id = this.#id;
    if (id === null) return;
    this.#abort.abort();
    void this.#load(id, `alerts/${id}/timeline?limit=100`);
  }

  /** Loads older events. */
  more() {
    const { older } = this.loaded.value;
    if (this.#id !== null && older !== null) void this.#load(this.#id, older);
  }

  /** @param {string} id @param {string} path */
  async #load(id, path) {
    const isFirst = !path.includes("before=");
    this.#abort = new AbortController();
    const { signal: aborted } = this.#abort;
    const { era } = this.#alerts;
    try {
      const url = this.#api.url(path.startsWith("?") ? `alerts/${id}/timeline${path}` : path);
      const answer = await this.#api.get(url, aborted);
      if (aborted.aborted) return;
      this.#apply(answer.alert, era);
      const known = isFirst ? this.#early : this.loaded.value.entries;
      const entries = merge(answer.events, known);
      const isFull = entries.length >= ENTRIES_MAX;
      this.loaded.value = { state: "loaded", entries, isComplete: answer.complete, isFull, older: isFull ? null : answer.previous };
      this.#early = [];
    } catch (error) {
      if (aborted.aborted) return;
      const isMissing = error instanceof Error && "status" in error && error.status === 404;
      const reason = error instanceof Error ? error.message : String(error);
      this.loaded.value = { ...this.loaded.value, state: isMissing ? "missing" : "failed", reason };
    }
  }

  /**
   * Adds an event of the stream.
   * @param {Alert & { type: string, change?: string, by?: string, note?: string }} event
   */
  add(event) {
    if (event.id !== this.#id) return;
    /** @type {Entry} */
    const entry = {
      type: event.type === "alert" ? "alert" : "alert_update",
      change: event.change ?? "raised",
      at: event.updated_at,
      by: event.by,
      note: event.note,
      count: event.count,
      revision: event.revision,
    };
    const { value } = this.loaded;
    if (value.state === "loaded") this.loaded.value = { ...value, entries: merge(value.entries, [entry]) };
    else this.#early.push(entry);
  }
}

/** Joins entries without repeats, in the order of their times. @param {Entry[]} a @param {Entry[]} b */
function merge(a, b) {
  const revisions = new Set(a.map((entry) => entry.revision));
  const added = b.filter((entry) => entry.revision === undefined ? !a.includes(entry) : !revisions.has(entry.revision));
  return [...a, ...added].sort((x, y) => (x.at < y.at ? -1 : Number(x.at > y.at))).slice(-ENTRIES_MAX);
}

/**
 * Joins repeats that follow one another into one entry, so that the words of people stay in sight.
 * @param {Entry[]} entries
 * @returns {(Entry & { repeats?: number, since?: string })[]}
 */
export function withoutRepeats(entries) {
  /** @type {(Entry & { repeats?: number, since?: string })[]} */
  const shown = [];
  for (const entry of entries) {
    const last = shown.at(-1);
    if (entry.change === "repeated" && last?.change === "repeated") {
      shown[shown.length - 1] = {
        ...entry,
        since: last.since ?? last.at,
        repeats: (last.repeats ?? 1) + Math.max(1, (entry.count ?? 0) - (last.count ?? 0)),
      };
    } else {
      shown.push(entry);
    }
  }
  return shown;
}
