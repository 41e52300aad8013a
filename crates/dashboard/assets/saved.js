// Values that the browser remembers: the operator's choices, and the last board.

import { SEVERITIES } from "./alerts.js";
import { STATUSES } from "./view.js";

/** @typedef {import("./alerts.js").Alert} Alert */
/** @typedef {import("./counts.js").CountsByStatus} CountsByStatus */

const PREFIX = "northgate.";
/** Alerts of the saved board: the worst and newest of them. */
export const SAVED_ALERTS = 200;

/** @param {string} name @returns {string | null} */
function read(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    // The browser forbids storage. The page works without.
    return null;
  }
}

/** @param {string} name @param {string | null} value */
function write(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // Storage is forbidden or full. The choice lasts until the page is closed.
  }
}

/**
 * @typedef {object} Choices
 * @property {string} name of the operator; empty if it was never entered
 * @property {"system" | "dark" | "light"} theme
 * @property {"comfortable" | "compact"} density
 * @property {boolean} keys whether single keys act
 */

/** @returns {Choices} */
export function readChoices() {
  const theme = read("theme");
  return {
    name: read("name") ?? "",
    theme: theme === "dark" || theme === "light" ? theme : "system",
    density: read("density") === "compact" ? "compact" : "comfortable",
    keys: read("keys") !== "off",
  };
}

/** @param {Choices} choices */
export function writeChoices({ name, theme, density, keys }) {
  write("name", name === "" ? null : name);
  write("theme", theme === "system" ? null : theme);
  write("density", density === "compact" ? density : null);
  write("keys", keys ? null : "off");
}

/**
 * The last board, with the server's time at which it was true.
 * @typedef {{ at: number, counts: CountsByStatus | null, alerts: Alert[] }} SavedBoard
 */

/** Name of the saved board. Several servers can share one origin, below different paths. */
function boardName() {
  return location.pathname === "/" ? "board" : `board ${location.pathname}`;
}

/** @returns {SavedBoard | null} */
export function readBoard() {
  try {
    const saved = JSON.parse(read(boardName()) ?? "null");
    if (typeof saved?.at !== "number" || !Array.isArray(saved.alerts)) return null;
    return { at: saved.at, counts: areCounts(saved.counts) ? saved.counts : null, alerts: saved.alerts.filter(isAlert) };
  } catch {
    return null;
  }
}

/** Whether a value of the storage, which anything could have written, can be shown. @param {any} value */
function isAlert(value) {
  const texts = [value?.id, value?.timestamp, value?.updated_at, value?.message, value?.location];
  return texts.every((text) => typeof text === "string")
    && SEVERITIES.includes(value.severity)
    && STATUSES.all.includes(value.status)
    && typeof value.revision === "number"
    && (value.labels === undefined || typeof value.labels === "object");
}

/** @param {any} value */
function areCounts(value) {
  return STATUSES.all.every((status) => SEVERITIES.every((severity) => typeof value?.[status]?.[severity] === "number"));
}

export function forgetBoard() {
  write(boardName(), null);
}

/** @param {SavedBoard} board */
export function writeBoard(board) {
  write(boardName(), JSON.stringify(board));
}
