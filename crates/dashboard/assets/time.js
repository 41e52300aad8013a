// Time of the server, and times as text.

/**
 * The time of the server, as well as the page knows it. Ages of alerts use this clock, because the
 * clock of the computer can be wrong.
 */
export class ServerClock {
  #environment;
  /** Server time minus wall time, in milliseconds. */
  #offset = 0;
  #isKnown = false;

  /** @param {{ wall(): number }} environment */
  constructor(environment) {
    this.#environment = environment;
  }

  /** Sets the clock from the header `Date` of an answer. @param {string | null} header */
  learn(header) {
    const date = header === null ? NaN : Date.parse(header);
    if (Number.isNaN(date)) return;
    const now = this.#environment.wall();
    // The header has whole seconds, so the time is between `date` and `date + 1000`.
    const current = now + this.#offset;
    if (this.#isKnown && current >= date - 500 && current < date + 1_500) return;
    this.#offset = date + 500 - now;
    this.#isKnown = true;
  }

  /** @returns {number} milliseconds since 1970 */
  now() {
    return this.#environment.wall() + this.#offset;
  }
}

/**
 * Measures time that has passed with two clocks, and uses the larger: `performance.now` stands
 * still while a computer sleeps, and the wall clock can be set back.
 */
export class Elapsed {
  #environment;
  #wall;
  #monotonic;

  /** @param {{ wall(): number, monotonic(): number }} environment */
  constructor(environment) {
    this.#environment = environment;
    this.#wall = environment.wall();
    this.#monotonic = environment.monotonic();
  }

  reset() {
    this.#wall = this.#environment.wall();
    this.#monotonic = this.#environment.monotonic();
  }

  /** @returns {number} milliseconds */
  get ms() {
    const wall = this.#environment.wall() - this.#wall;
    const monotonic = this.#environment.monotonic() - this.#monotonic;
    return Math.max(0, wall, monotonic);
  }
}

/**
 * Age in a form that fits into a column: minutes to 119, hours to 47, then days.
 * @param {number} ms
 */
export function age(ms) {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 1) return "< 1 min";
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

/** Duration in words: "8 s", "13 minutes". @param {number} ms */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return minutes === 1 ? "1 minute" : `${minutes} minutes`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.floor(hours / 24)} days`;
}

/** @param {number} number */
const two = (number) => String(number).padStart(2, "0");

/** "14:12" in the time zone of the browser. @param {number | string} time */
export function clock(time) {
  const date = new Date(time);
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** "14:12:04" in the time zone of the browser. @param {number | string} time */
export function clockSeconds(time) {
  return `${clock(time)}:${two(new Date(time).getSeconds())}`;
}

/**
 * "14:12", or "27 Nov 14:12" if the time is on another day than `now`.
 * @param {number | string} time
 * @param {number} now
 */
export function clockOrDate(time, now) {
  const date = new Date(time);
  if (date.toDateString() === new Date(now).toDateString()) return clock(time);
  return `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${clock(time)}`;
}

/** Complete time, for a tooltip. @param {number | string} time */
export function exact(time) {
  const date = new Date(time);
  const day = date.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" });
  return `${day} ${clockSeconds(time)}`;
}
