// Keyboard focus: it follows the alert's id, and never falls to the body of the page.

/** @typedef {import("../board.js").Board} Board */

const ROW = "[role=row][data-id]";

/** @param {string} id @returns {HTMLElement | null} */
function rowElement(id) {
  return document.querySelector(`[role=row][data-id="${CSS.escape(id)}"]`);
}

/** Row that gets the focus in the next animation frame. @type {string | null} */
let requested = null;

/** Id of the row that has the focus, or is about to get it: keys can be faster than frames. */
export function focusedRow() {
  const { activeElement } = document;
  if (requested !== null) return requested;
  return activeElement instanceof HTMLElement && activeElement.matches(ROW) ? activeElement.dataset.id ?? null : null;
}

/** Focuses a row, and scrolls to it. @param {Board} board @param {string} id */
export function focusRow(board, id) {
  board.screen.current.value = id;
  requested = id;
  // The row is in the document after the next render, because the current row always is.
  requestAnimationFrame(() => {
    if (requested !== id) return;
    requested = null;
    const row = rowElement(id);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  });
}

/** Focuses the list without a row, so that keys still work. */
export function focusList() {
  const list = document.querySelector(".list");
  if (list instanceof HTMLElement) list.focus({ preventScroll: true });
}

/** Gives the focus back to an element, or to its row if it is hidden now. @param {Element} element */
export function returnFocus(element) {
  if (element instanceof HTMLElement) element.focus({ preventScroll: true });
  if (document.activeElement !== document.body) return;
  const row = element.closest(ROW);
  if (row instanceof HTMLElement) row.focus({ preventScroll: true });
  else focusList();
}

/**
 * Moves the focus when its element leaves the document: from a row to the row that is now in its
 * place, and from anything else to the list.
 * @param {Board} board @param {Element} root
 */
export function keepFocus(board, root) {
  /** @type {Element | null} */
  let last = null;
  root.addEventListener("focusin", (event) => { last = event.target instanceof Element ? event.target : null; });
  root.addEventListener("focusout", (event) => {
    // If the user left the element, it stays in the document. A browser may also report that the
    // element is about to be removed, so this looks again afterwards.
    setTimeout(() => {
      if (last === event.target && last?.isConnected && document.activeElement === document.body) last = null;
    });
  });
  new MutationObserver(() => {
    if (last === null || last.isConnected || document.activeElement !== document.body) return;
    const wasRow = last.matches(ROW) || last.closest(ROW) !== null;
    last = null;
    const current = board.screen.current.value;
    const row = wasRow && current !== null ? rowElement(current) : null;
    if (row) row.focus({ preventScroll: true });
    else focusList();
  }).observe(root, { childList: true, subtree: true });
}
