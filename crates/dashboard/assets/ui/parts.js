// Small parts that several components share.

import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);

/** @typedef {import("../board.js").Board} Board */
/** @typedef {import("../alerts.js").Severity} Severity */

/** Shapes of the severities. The shape alone tells them apart. @type {Record<Severity, string>} */
const SHAPES = { critical: "octagon", error: "triangle", warning: "diamond", info: "circle" };

/** @param {string} text */
export const capitalized = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** An icon of the page's set. @param {{ name: string, size?: number }} properties */
export function Icon({ name, size = 16 }) {
  return html`<svg class="icon" width=${size} height=${size} aria-hidden="true"><use href=${`#${name}`} /></svg>`;
}

/** The shape of a severity. @param {{ severity: Severity }} properties */
export function Shape({ severity }) {
  return html`<svg class="shape" aria-hidden="true"><use href=${`#${SHAPES[severity]}`} /></svg>`;
}

/** Initials of a name, at most two. @param {string} name */
export function initials(name) {
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
