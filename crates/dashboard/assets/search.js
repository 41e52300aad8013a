// Free-text search with the rules of the server, so that a row that arrives later is filtered as
// the server would filter it.

/** Number of characters of a word that a search compares. */
const WORD_CHARS = 64;

/**
 * Returns the words of `texts` in normal form: compatibility decomposition, lower case, without
 * combining marks. A word is a sequence of letters and digits.
 * @param {string[]} texts
 * @returns {string[]}
 */
export function words(texts) {
  return texts.flatMap((text) => {
    const plain = text.normalize("NFKD").toLowerCase().normalize("NFD").replace(/ς/g, "σ");
    const found = plain.replace(/\p{M}/gu, (mark) => (isCombining(mark) ? "" : mark)).match(/[\p{Alphabetic}\p{N}]+/gu) ?? [];
    return found.map((word) => [...word].slice(0, WORD_CHARS).join(""));
  });
}

/** Marks with a canonical combining class, and marks without one. @type {Map<string, boolean>} */
const combining = new Map();

/**
 * Whether a mark has a canonical combining class other than 0. Only such marks change places with
 * U+0345 (class 240, the highest one) in normal form.
 * @param {string} mark
 */
function isCombining(mark) {
  let known = combining.get(mark);
  if (known === undefined) {
    known = mark === "\u0345" || `\u0345${mark}`.normalize("NFD") !== `\u0345${mark.normalize("NFD")}`;
    combining.set(mark, known);
  }
  return known;
}

/**
 * Returns whether each word of a search is the beginning of some word of a text.
 * @param {string[]} search in normal form
 * @param {string[]} text in normal form
 */
export function found(search, text) {
  return search.every((prefix) => text.some((word) => word.startsWith(prefix)));
}
