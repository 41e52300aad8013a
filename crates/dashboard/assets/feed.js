// The live feed: the collection at a position, and the stream of events after it.

import { Refused } from "./api.js";
import { Elapsed } from "./time.js";

/** @typedef {import("./alerts.js").Alert} Alert */
/** @typedef {import("./environment.js").Environment} Environment */

/** Interval of the server's `live` frames. */
const LIVE_EVERY = "5s";
/** Silence after which the board is late, in milliseconds. */
export const LATE = 8_000;
/** Silence after which the connection is lost, in milliseconds. */
export const LOST = 15_000;
/** First and longest pause before an attempt to connect, in milliseconds. */
const PAUSE = { first: 1_000, longest: 8_000 };
/** Time after which the whole collection is loaded again: the store may have removed alerts. */
const RELOAD_AFTER = 3_600_000;
/** Pages of 1,000 alerts that one load reads at most. */
const PAGES_MAX = 20;

/**
 * The listener of a feed. All calls happen on the page's thread, in the order of the log.
 * @typedef {object} Listener
 * @property {() => void} loading a load of the whole collection starts
 * @property {(alerts: Alert[]) => void} page one page of the collection
 * @property {(isComplete: boolean) => void} loaded the load has ended; not complete if there are too many alerts
 * @property {(event: Alert & { type: string, change?: string, by?: string, note?: string }, isLive: boolean) => void} event
 *   one event, in the order of the log; not live while the stream catches up
 * @property {(gap: boolean) => void} resumed the stream has started; with a gap the collection is loaded again first
 * @property {() => void} live every event up to now has arrived
 * @property {() => void} heard something arrived
 * @property {() => void} lost the connection is gone
 * @property {(ms: number) => void} pausing the next attempt comes after this time
 * @property {() => void} trying an attempt to connect starts
 */

export class Feed {
  #api;
  #environment;
  #listener;
  /** Position of the newest event that was applied; null if the collection must be loaded. @type {string | null} */
  #position = null;
  #pause = PAUSE.first;
  /** Ends the current pause. */
  #wake = new AbortController();
  /** Ends the current stream, as lost or for a reload. @type {((isLost: boolean) => void) | null} */
  #end = null;
  /** Time since the last frame. */
  #silence;
  /** Time since the last complete load. */
  #sinceLoad;
  #isStopped = false;

  /** @param {import("./api.js").Api} api @param {Environment} environment @param {Listener} listener */
  constructor(api, environment, listener) {
    this.#api = api;
    this.#environment = environment;
    this.#listener = listener;
    this.#silence = new Elapsed(environment);
    this.#sinceLoad = new Elapsed(environment);
  }

  /** Position of the newest event that was applied. */
  get position() {
    return this.#position;
  }

  /** Milliseconds since the last frame. */
  get silence() {
    return this.#silence.ms;
  }

  /** Connects, and connects again after every end. */
  async run() {
    while (!this.#isStopped) {
      this.#listener.trying();
      let pause = null;
      try {
        if (this.#position === null) await this.#load();
        pause = await this.#stream();
      } catch (error) {
        if (error instanceof Refused) pause = error.retryAfter;
        this.#listener.lost();
      }
      if (pause === 0) continue;
      await this.#rest(pause);
    }
  }

  stop() {
    this.#isStopped = true;
    this.#wake.abort();
    this.#end?.(true);
  }

  /** Tries to connect now instead of after the pause. */
  tryNow() {
    this.#pause = PAUSE.first;
    this.#wake.abort();
  }

  /** Ends a stream that has been silent for too long. Call this at least once a second. */
  check() {
    if (this.#silence.ms >= LOST) this.#end?.(true);
  }

  /** Loads the whole collection again, and goes on with the stream after it. */
  reload() {
    if (!this.#end) return;
    this.#position = null;
    this.#end(false);
  }

  /** @param {number | null} asked pause that the server asked for */
  async #rest(asked) {
    // Many pages lose one server at the same moment, so each of them waits for another time. A
    // pause that the server asks for is never shortened.
    const share = asked === null ? 0.5 + this.#environment.random() : 1 + this.#environment.random() / 4;
    const ms = (asked ?? this.#pause) * share;
    if (asked === null) this.#pause = Math.min(this.#pause * 2, PAUSE.longest);
    this.#wake = new AbortController();
    this.#listener.pausing(ms);
    await this.#environment.pause(ms, this.#wake.signal);
  }

  async #load() {
    this.#listener.loading();
    let position = null;
    /** @type {URL | null} */
    let url = this.#api.url("alerts?status=open,acknowledged&limit=1000");
    let pages = 0;
    for (; url !== null && pages < PAGES_MAX; pages += 1) {
      /** @type {{ alerts: Alert[], position: string, previous: string | null }} */
      const page = await this.#api.get(url);
      // The stream starts where the first page was read. Later pages can only be newer.
      position ??= page.position;
      this.#listener.page(page.alerts);
      url = page.previous === null ? null : new URL(page.previous, url);
    }
    this.#position = position;
    this.#sinceLoad.reset();
    this.#listener.loaded(url === null);
  }

  /** Receives events until the stream ends. Returns the pause that the server asked for; 0 for none. */
  #stream() {
    const query = new URLSearchParams({
      types: "alert,alert_update",
      after: this.#position ?? "",
      live_every: LIVE_EVERY,
    });
    const url = this.#api.url(`ws?${query}`);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = this.#environment.connect(url);
    this.#silence.reset();
    return new Promise((/** @type {(pause: number | null) => void} */ resolve) => {
      let isLive = false;
      const end = (/** @type {number | null} */ pause, isLost = true) => {
        this.#end = null;
        socket.onmessage = socket.onclose = null;
        socket.close();
        if (isLost) this.#listener.lost();
        resolve(pause);
      };
      this.#end = (isLost) => end(isLost ? null : 0, isLost);
      socket.onclose = ({ code, reason }) => end(requestedPause(code, reason));
      socket.onmessage = ({ data }) => {
        const frame = parse(data);
        if (frame === null) return;
        this.#silence.reset();
        this.#listener.heard();
        if (frame.type === "resume") {
          const isGap = frame.outcome === "gap";
          this.#listener.resumed(isGap);
          if (isGap) {
            this.#position = null;
            end(0, false);
            return;
          }
        } else if (frame.type === "live") {
          this.#pause = PAUSE.first;
          isLive = true;
          this.#listener.live();
          if (this.#sinceLoad.ms > RELOAD_AFTER) {
            this.#position = null;
            end(0, false);
            return;
          }
        } else if (frame.type === "alert" || frame.type === "alert_update") {
          this.#listener.event(frame, isLive);
        }
        this.#position = frame.position ?? this.#position;
      };
    });
  }
}

/** @param {unknown} data @returns {any} the frame, or null if it is not an object */
function parse(data) {
  try {
    const frame = JSON.parse(String(data));
    return typeof frame === "object" ? frame : null;
  } catch {
    return null;
  }
}

/** Returns the pause that a Close frame asks for. @param {number} code @param {string} reason */
function requestedPause(code, reason) {
  const match = code === 1001 ? /^retry_after_ms=(\d+)/.exec(reason) : null;
  return match ? Math.max(1, Number(match[1])) : null;
}
