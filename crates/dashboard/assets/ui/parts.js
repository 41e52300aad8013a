// Small parts that several components share.

import { h } from "preact";
import htm from "htm";
import { RULES } from "../rules.js";

export const html = htm.bind(h);

/** @typedef {import("../board.js").Board} Board */
/** @typedef {import("../alerts.js").Severity} Severity */

/** Shapes of the severities. The shape alone tells them apart. @type {Record<Severity, string>} */
const SHAPES = { critical: "octagon", error: "triangle", warning: "diamond", info: "circle" };

/** Whether the screen is narrow: the panel then covers the list. The same width is in board.css. */
export const NARROW = matchMedia("(max-width: 860px)");

/** @param {string} text */
export const capitalized = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** An icon of the page's set. @param {{ name: string, size?: number }} properties */
export function Icon({ name, size = 16 }) {
  return html`<svg class="icon" width=${size} height=${size} aria-hidden="true"><use href=${`#icon-${name}`} /></svg>`;
}

/** The shape of a severity. @param {{ severity: Severity }} properties */
export function Shape({ severity }) {
  return html`<svg class="shape" aria-hidden="true"><use href=${`#icon-${SHAPES[severity]}`} /></svg>`;
}

/**
 * A button for an action on one alert. If the action is not possible now, the button stays in its
 * place and keeps the focus: another action in its place would be pressed by mistake.
 * @param {{ board: Board, id: string, action: import("../rules.js").ActionName, status: import("../alerts.js").Status, isMain?: boolean, isIcon?: boolean, isInRow?: boolean }} properties
 */
export function ActionButton({ board, id, action, status, isMain = false, isIcon = false, isInRow = false }) {
  const { from, button } = RULES[action];
  const isPossible = from.includes(status) && board.canAct;
  return html`
    <button class=${`button${isMain && isPossible ? " go" : ""}`} tabindex=${isInRow ? -1 : undefined} aria-disabled=${!isPossible}
      aria-label=${isIcon ? button : undefined} title=${isIcon ? button : undefined}
      onClick=${() => { if (from.includes(status)) board.act(action, [id]); }}>${isIcon ? html`<${Icon} name="message-square" />` : button}</button>`;
}

/** Initials of a name, at most two. @param {string} name */
function initials(name) {
  const words = name.trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...word ?? ""][0] ?? "");
  return letters.join("").toUpperCase();
}

/** The mark of an operator. @param {{ name: string }} properties */
export function Avatar({ name }) {
  return html`<i class="avatar" aria-hidden="true">${initials(name)}</i>`;
}

/**
 * Copies a text. Returns whether that worked: browsers forbid it on pages that are not secure, and
 * then the element is selected, so that the user can copy it.
 * @param {string} text @param {Element | null} element
 */
export async function copy(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (element) getSelection()?.selectAllChildren(element);
    return false;
  }
}
