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
    const found = plain.replace(/\p{Mn}/gu, "").match(/[\p{Alphabetic}\p{N}]+/gu) ?? [];
    return found.map((word) => [...word].slice(0, WORD_CHARS).join(""));
  });
}

/**
 * Returns whether each word of a search is the beginning of some word of a text.
 * @param {string[]} search in normal form
 * @param {string[]} text in normal form
 */
export function found(search, text) {
  return search.every((prefix) => text.some((word) => word.startsWith(prefix)));
}
