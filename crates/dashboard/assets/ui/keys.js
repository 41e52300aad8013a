// Single keys. They are ignored in fields, with modifiers, and while an input method composes text.

import { focusedRow, focusList, focusRow } from "./focus.js";

/** @typedef {import("../board.js").Board} Board */
/** @typedef {import("../rules.js").ActionName} ActionName */

/** @type {Record<string, ActionName>} */
const ACTIONS = { a: "acknowledge", r: "resolve", o: "reopen", c: "note" };
/** Rows of one step of Page Up and Page Down. */
const PAGE = 10;

/** @param {Board} board @param {KeyboardEvent} event */
export function handleKey(board, event) {
  const { target, key } = event;
  const isField = target instanceof Element && target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]") !== null;
  if (event.defaultPrevented || event.isComposing || event.repeat && Object.hasOwn(ACTIONS, key) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]") !== null || isField) return;
  const isInRow = target instanceof Element && target.closest("[role=row][data-id]") === target;
  if (key === "Escape") back(board);
  else if (isInRow && moves(board, key)) move(board, moves(board, key));
  else if (isInRow && key === "Enter") openCurrent(board);
  else if (!board.choices.value.keys || !single(board, key)) return;
  event.preventDefault();
}

/** Performs the action of a single key. Returns false if the key has none. @param {Board} board @param {string} key */
function single(board, key) {
  const selected = board.screen.selection.inOrder();
  const action = Object.hasOwn(ACTIONS, key) ? ACTIONS[key] : undefined;
  // A key acts only on what the operator sees: the selection, the focused row, or the panel.
  const focused = focusedRow();
  if (action) {
    const isInPanel = document.activeElement?.closest(".panel") !== null;
    const one = isInPanel ? board.opened.value : focused ?? board.opened.value;
    if (selected.length > 0) board.act(action, selected);
    else if (one !== null) board.act(action, [one]);
    else board.notify({ kind: "failed", text: "No row has the focus. Move with j and k." });
    return true;
  }
  switch (key) {
    case "j": move(board, 1); return true;
    case "k": move(board, -1); return true;
    case "x": if (focused !== null) board.select(focused); return true;
    case "z": board.undo(); return true;
    case "/": document.getElementById("search")?.focus(); return true;
    case "?": board.dialog.value = { kind: "help" }; return true;
    default: return false;
  }
}

/** Steps of a key that moves, or 0. @param {Board} board @param {string} key */
function moves(board, key) {
  const all = board.screen.rows.ids.length;
  /** @type {Record<string, number>} */
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE, Home: -all, End: all };
  return Object.hasOwn(steps, key) ? steps[key] ?? 0 : 0;
}

/** Moves the focus by some rows. The first step focuses the current row. @param {Board} board @param {number} steps */
function move(board, steps) {
  const { ids } = board.screen.rows;
  const focused = focusedRow();
  const from = focused ?? board.screen.current.value;
  const index = from === null ? -1 : ids.indexOf(from);
  const next = focused !== null ? Math.min(ids.length - 1, Math.max(0, index + steps)) : Math.max(0, index);
  const id = ids[next];
  if (id !== undefined) focusRow(board, id);
}

/** @param {Board} board */
function openCurrent(board) {
  if (board.screen.current.value === null) return;
  board.open(board.screen.current.value);
  requestAnimationFrame(() => document.getElementById("panel")?.focus());
}

/** Goes one step back: the selection, the panel, the focus. @param {Board} board */
function back(board) {
  if (board.screen.selection.ids.value.size > 0) {
    board.screen.selection.clear();
  } else if (board.opened.value !== null) {
    const id = board.opened.value;
    board.open(null);
    if (board.screen.rows.ids.includes(id)) focusRow(board, id);
    else focusList();
  } else {
    focusList();
  }
}
