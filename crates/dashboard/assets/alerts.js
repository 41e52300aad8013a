// The alerts that the page knows, by id: always the newest revision of each.

/**
 * @typedef {"critical" | "error" | "warning" | "info"} Severity
 * @typedef {"open" | "acknowledged" | "resolved"} Status
 * @typedef {{ by: string, note: string, at: string }} Note
 */

/**
 * An alert as the API sends it. Times are RFC 3339 in UTC with microseconds, so that they sort as
 * text.
 * @typedef {object} Alert
 * @property {string} id
 * @property {string} timestamp time of the raise
 * @property {string} message
 * @property {string} location
 * @property {string} [source]
 * @property {Severity} severity
 * @property {Record<string, string>} [labels]
 * @property {string} [url]
 * @property {string} [dedup_key]
 * @property {Status} status
 * @property {number} count number of raises, repeats included
 * @property {string} first_seen
 * @property {string} last_seen
 * @property {string} [expires_at]
 * @property {string} [acknowledged_by]
 * @property {string} [acknowledged_at]
 * @property {string} [resolved_by]
 * @property {string} [resolved_at]
 * @property {Note[]} [notes]
 * @property {number} [notes_dropped]
 * @property {string} updated_at
 * @property {number} revision
 * @property {string} [position]
 */

/** Severities, the worst first. @type {Severity[]} */
export const SEVERITIES = ["critical", "error", "warning", "info"];

/** Upper bound of resolved alerts in memory. The ones that changed first are removed first. */
export const RESOLVED_MAX = 5_000;

/**
 * Alerts by id. The owner is the board, on the page's only thread.
 *
 * A resolved alert stays as a tombstone: without it, a page of the collection that was read before
 * the alert was resolved would show it as open again.
 */
export class Alerts {
  /** @type {Map<string, { alert: Alert, load: number }>} */
  #entries = new Map();
  /** Ids of resolved alerts, in the order in which they were resolved here. @type {Set<string>} */
  #resolved = new Set();
  /** Number of the load that is running or that was the last one. */
  #load = 0;

  /** Number of the current load. Take it before a request whose answer is applied later. */
  get era() {
    return this.#load;
  }

  /** Number of alerts that are not resolved. */
  get active() {
    return this.#entries.size - this.#resolved.size;
  }

  /** @param {string} id @returns {Alert | undefined} */
  get(id) {
    return this.#entries.get(id)?.alert;
  }

  *[Symbol.iterator]() {
    for (const { alert } of this.#entries.values()) yield alert;
  }

  /**
   * Stores an alert from the collection, from the stream or from the answer to an action, unless a
   * newer revision is known. Returns whether the alert is new or changed.
   *
   * During a load, a revision from before the load counts for nothing: the server may have been
   * restored from a backup, and its revisions are then lower.
   *
   * The answer to a request from before the load is as old as that request: it replaces no newer
   * revision, and it does not keep an alert that the load does not show.
   *
   * @param {Alert} alert
   * @param {number} era the value of `era` when the alert was asked for
   */
  apply(alert, era = this.#load) {
    const known = this.#entries.get(alert.id);
    if (era < this.#load && (!known || known.alert.revision >= alert.revision)) return false;
    if (known && known.load === this.#load && known.alert.revision >= alert.revision) return false;
    const isSame = known?.alert.revision === alert.revision
      && known.alert.updated_at === alert.updated_at;
    const load = era < this.#load ? known?.load ?? era : this.#load;
    this.#entries.set(alert.id, { alert: isSame ? known.alert : alert, load });
    if (alert.status === "resolved") {
      this.#resolved.add(alert.id);
    } else {
      this.#resolved.delete(alert.id);
    }
    return !isSame;
  }

  /** Starts a load of the whole collection. */
  beginLoad() {
    this.#load += 1;
  }

  /**
   * Ends a load. Removes the alerts that neither the load nor anything after its start has shown,
   * and returns their ids.
   */
  endLoad() {
    const removed = [...this.#entries].filter(([, { load }]) => load < this.#load);
    return removed.map(([id]) => (this.#remove(id), id));
  }

  /**
   * Removes the oldest resolved alerts beyond the bound, and returns their ids.
   * @param {(id: string) => boolean} isShown alerts on the screen stay
   */
  trim(isShown) {
    const removed = [];
    for (const id of this.#resolved) {
      if (this.#resolved.size <= RESOLVED_MAX) break;
      if (isShown(id)) continue;
      this.#remove(id);
      removed.push(id);
    }
    return removed;
  }

  /** @param {string} id */
  #remove(id) {
    this.#entries.delete(id);
    this.#resolved.delete(id);
  }
}
