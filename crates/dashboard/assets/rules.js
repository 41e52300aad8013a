// The actions of the API: their addresses and words, what they change, and how to undo them.

import { clockSeconds } from "./time.js";

/** @typedef {import("./alerts.js").Alert} Alert */
/** @typedef {import("./alerts.js").Status} Status */
/** @typedef {"acknowledge" | "unacknowledge" | "resolve" | "reopen" | "note"} ActionName */

/**
 * @typedef {object} Rule
 * @property {string} path last part of the address
 * @property {string} bulk name in a bulk request
 * @property {string} button
 * @property {string} done
 * @property {Status[]} from statuses that the action changes
 * @property {Status | null} to status after the action; null if the status stays
 * @property {ActionName | null} inverse
 */

/** @type {Record<ActionName, Rule>} */
export const RULES = {
  acknowledge: { path: "acknowledge", bulk: "acknowledge", button: "Acknowledge", done: "Acknowledged", from: ["open"], to: "acknowledged", inverse: "unacknowledge" },
  unacknowledge: { path: "unacknowledge", bulk: "unacknowledge", button: "Unacknowledge", done: "Unacknowledged", from: ["acknowledged"], to: "open", inverse: "acknowledge" },
  resolve: { path: "resolve", bulk: "resolve", button: "Resolve", done: "Resolved", from: ["open", "acknowledged"], to: "resolved", inverse: "reopen" },
  reopen: { path: "reopen", bulk: "reopen", button: "Reopen", done: "Reopened", from: ["resolved"], to: "open", inverse: "resolve" },
  note: { path: "notes", bulk: "annotate", button: "Add note", done: "Added a note to", from: ["open", "acknowledged", "resolved"], to: null, inverse: null },
};

/**
 * One alert that an action changed, and how to undo that.
 * @typedef {object} UndoEntry
 * @property {string} id
 * @property {ActionName} action the inverse
 * @property {Status} status after the action
 * @property {string | null} owner who did it; null if an open alert has no owner
 * @property {string} [formerOwner] somebody else who had acknowledged the alert before it was resolved
 * @property {boolean} wasMine whether I had acknowledged the alert before it was resolved
 */

/** @param {UndoEntry} entry @param {Alert} alert */
export function isStillMine(entry, alert) {
  return alert.status === entry.status && (markOf(alert)?.by ?? null) === entry.owner;
}

/**
 * Describes how to undo an action, or returns null if that is not possible: nobody can acknowledge
 * an alert in the name of somebody else.
 * @param {ActionName} action @param {Alert | undefined} before @param {{ id: string }} alert @param {string} by
 * @returns {UndoEntry | null}
 */
export function undoEntry(action, before, alert, by) {
  const { inverse, to } = RULES[action];
  if (inverse === null || to === null) return null;
  if (action === "unacknowledge" && before?.acknowledged_by !== by) return null;
  const wasMine = before?.status === "acknowledged" && before.acknowledged_by === by;
  const formerOwner = action === "resolve" && !wasMine && before?.status === "acknowledged" ? before.acknowledged_by : undefined;
  return { id: alert.id, action: inverse, status: to, owner: to === "open" ? null : by, wasMine, ...formerOwner && { formerOwner } };
}

/** Who gave the alert its status, and when; null if it is open. @param {Alert} alert */
export function markOf(alert) {
  if (alert.status === "resolved" && alert.resolved_by) {
    return { by: alert.resolved_by, at: alert.resolved_at ?? alert.updated_at };
  }
  if (alert.status === "acknowledged" && alert.acknowledged_by) {
    return { by: alert.acknowledged_by, at: alert.acknowledged_at ?? alert.updated_at };
  }
  return null;
}

/** "resolved by Ben at 14:26:03" @param {Alert} alert */
export function stateWords(alert) {
  const mark = markOf(alert);
  return mark ? `${alert.status} by ${mark.by} at ${clockSeconds(mark.at)}` : alert.status;
}

/** @param {Alert | undefined} alert */
export function nameOf(alert) {
  if (!alert) return "the alert";
  const line = alert.message.replace(/\s+/g, " ");
  return `“${line.length > 60 ? `${line.slice(0, 59)}…` : line}”`;
}
