// Views: which alerts the list shows, in which order, as a part of the page's address.

import { SEVERITIES } from "./alerts.js";
import { found, words } from "./search.js";
import { clockSeconds } from "./time.js";

/** @typedef {import("./alerts.js").Alert} Alert */
/** @typedef {import("./alerts.js").Severity} Severity */
/** @typedef {import("./alerts.js").Status} Status */
/** @typedef {"active" | "open" | "acknowledged" | "resolved" | "all"} ViewName */

/** Statuses of each view. @type {Record<ViewName, Status[]>} */
export const STATUSES = {
  active: ["open", "acknowledged"],
  open: ["open"],
  acknowledged: ["acknowledged"],
  resolved: ["resolved"],
  all: ["open", "acknowledged", "resolved"],
};

/** @type {Record<ViewName, string>} */
export const NAMES = {
  active: "Active",
  open: "Open",
  acknowledged: "Acknowledged",
  resolved: "Resolved",
  all: "All",
};

/**
 * A condition that is shown as a chip.
 * @typedef {{ name: string, value: string }} Condition
 */

/**
 * @typedef {object} View
 * @property {ViewName} name
 * @property {string} q search as the user typed it
 * @property {Condition[]} conditions `severity`, `location`, `source`, `label.<name>`, `since` or `until`
 * @property {"severity" | "time"} order
 */

/** @type {View} */
export const DEFAULT_VIEW = { name: "active", q: "", conditions: [], order: "severity" };

/** @param {string} name */
const isCondition = (name) =>
  ["severity", "location", "source", "since", "until"].includes(name) || name.startsWith("label.");

/** Reads the view from an address. @param {URLSearchParams} parameters @returns {View} */
export function parseView(parameters) {
  const name = parameters.get("view") ?? "";
  /** @type {Condition[]} */
  const conditions = [];
  for (const [key, value] of parameters) {
    if (!isCondition(key)) continue;
    const values = key === "severity" ? value.split(",") : [value];
    for (const one of values) {
      const isValid = key !== "severity" || SEVERITIES.some((severity) => severity === one);
      const isTime = key !== "since" && key !== "until" || !Number.isNaN(Date.parse(one));
      const isNew = !conditions.some((known) => known.name === key && known.value === one);
      if (one !== "" && isValid && isTime && isNew) conditions.push({ name: key, value: one });
    }
  }
  return {
    name: Object.hasOwn(STATUSES, name) ? /** @type {ViewName} */ (name) : "active",
    q: parameters.get("q") ?? "",
    conditions,
    order: parameters.get("order") === "time" ? "time" : "severity",
  };
}

/**
 * Returns the parameters of an address that shows a view, and one alert beside it.
 * @param {View} view
 * @param {string | null} alert
 */
export function viewParameters(view, alert) {
  const parameters = new URLSearchParams();
  if (view.name !== "active") parameters.set("view", view.name);
  if (view.q !== "") parameters.set("q", view.q);
  const severities = view.conditions.filter(({ name }) => name === "severity");
  if (severities.length > 0) parameters.set("severity", severities.map(({ value }) => value).join(","));
  for (const { name, value } of view.conditions) {
    if (name !== "severity") parameters.append(name, value);
  }
  if (view.order !== "severity") parameters.set("order", view.order);
  if (alert !== null) parameters.set("alert", alert);
  return parameters;
}

/**
 * Returns the filter of a view for `GET /alerts` and, as an object, for `POST /alerts/actions`.
 * @param {View} view
 */
export function filterParameters(view) {
  const parameters = viewParameters({ ...view, name: "active", order: "severity" }, null);
  parameters.set("status", STATUSES[view.name].join(","));
  return parameters;
}

/** @param {View} view @returns {Record<string, string | string[]>} */
export function filterObject(view) {
  /** @type {Record<string, string | string[]>} */
  const filter = {};
  for (const [name, value] of filterParameters(view)) {
    const known = filter[name];
    filter[name] = known === undefined ? value : [known, value].flat();
  }
  return filter;
}

/** The words that a search looks at, by alert object. @type {WeakMap<Alert, string[]>} */
const searchedWords = new WeakMap();

/** @param {Alert} alert */
function wordsOf(alert) {
  let known = searchedWords.get(alert);
  if (known === undefined) {
    known = words([alert.message, alert.location]);
    searchedWords.set(alert, known);
  }
  return known;
}

/**
 * Returns a function that decides whether a view shows an alert.
 * @param {View} view
 * @returns {(alert: Alert) => boolean}
 */
export function matcher(view) {
  const statuses = STATUSES[view.name];
  const search = words([view.q]);
  /** Allowed values by name. An alert needs one of the values of each name. @type {Map<string, string[]>} */
  const allowed = new Map();
  for (const { name, value } of view.conditions) {
    allowed.set(name, [...allowed.get(name) ?? [], value]);
  }
  const conditions = [...allowed];
  return (alert) =>
    statuses.includes(alert.status)
    && conditions.every(([name, values]) => admits(alert, name, values))
    && (search.length === 0 || found(search, wordsOf(alert)));
}

/** @param {Alert} alert @param {string} name @param {string[]} values */
function admits(alert, name, values) {
  const raised = Date.parse(alert.timestamp);
  switch (name) {
    case "severity": return values.includes(alert.severity);
    case "location": return values.includes(alert.location);
    case "source": return values.includes(alert.source ?? "");
    // Of two times the last one counts, as in the API.
    case "since": return isAtOrAfter(alert.timestamp, raised, values.at(-1) ?? "");
    case "until": return !isAtOrAfter(alert.timestamp, raised, values.at(-1) ?? "");
    default: return values.includes(alert.labels?.[name.slice("label.".length)] ?? "");
  }
}

/**
 * Compares times with microseconds, which `Date` does not have.
 * @param {string} timestamp @param {number} raised the same time in milliseconds @param {string} bound
 */
function isAtOrAfter(timestamp, raised, bound) {
  const at = Date.parse(bound);
  const hasSameForm = bound.length === timestamp.length && bound.endsWith("Z");
  return raised === at && hasSameForm ? timestamp >= bound : raised >= at;
}

/**
 * Returns the condition that a user typed, such as `zone=west`, or null if the text is a search.
 * @param {string} text
 * @returns {Condition | null}
 */
export function parseCondition(text) {
  const match = /^([A-Za-z_][\w./-]{0,63})\s*=\s*(.+)$/u.exec(text.trim());
  if (match === null) return null;
  const [, name = "", value = ""] = match;
  if (name === "location" || name === "source") return { name, value: value.trim() };
  if (name === "severity") {
    const severity = SEVERITIES.find((known) => known === value.trim().toLowerCase());
    return severity === undefined ? null : { name, value: severity };
  }
  return { name: `label.${name.replace(/^label\./, "")}`, value: value.trim() };
}

/** Adds a condition, or removes it if the view has it. @param {View} view @param {Condition} condition @returns {View} */
export function toggleCondition(view, condition) {
  const rest = view.conditions.filter((known) =>
    known.name !== condition.name || known.value !== condition.value);
  const had = rest.length < view.conditions.length;
  return { ...view, conditions: had ? rest : [...rest, condition] };
}

/** Whether a view hides alerts of its statuses. @param {View} view */
export function isFiltered(view) {
  return view.q.trim() !== "" || view.conditions.length > 0;
}

/** Text of a chip. @param {Condition} condition */
export function conditionText({ name, value }) {
  if (name === "since") return `raised from ${clockSeconds(value)}`;
  if (name === "until") return `raised before ${clockSeconds(value)}`;
  return `${name.replace(/^label\./, "")} = ${value}`;
}
