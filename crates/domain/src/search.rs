//! Free-text search. Stored texts and queries have one normal form, so all stores return the same
//! items.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Number of characters of a word, in normal form, that a search compares.
const WORD_CHARS: usize = 64;

/// The words of one or more texts, in normal form: compatibility decomposition (NFKD), lower case,
/// without combining marks. A word is a sequence of letters and digits, cut after 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchText(String);

impl SearchText {
    /// Collects the words of all `texts`, in order.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words = Words::default();
        for text in texts {
            if text.is_ascii() {
                text.chars().for_each(|c| words.push(c.to_ascii_lowercase()));
            } else {
                text.nfkd().flat_map(char::to_lowercase).nfd().for_each(|c| words.push(c));
            }
            words.end_word();
        }
        Self(words.text)
    }

    /// Returns the words in order. Each word has a space before it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Collects words. Each character extends the current word, ends the current word, or is ignored.
#[derive(Default)]
struct Words {
    text: String,
    /// Number of characters of the current word; 0 before the word begins.
    chars: usize,
}

impl Words {
    fn push(&mut self, c: char) {
        if canonical_combining_class(c) != 0 {
            return;
        }
        if !c.is_alphanumeric() {
            self.end_word();
            return;
        }
        if self.chars == 0 {
            self.text.push(' ');
        }
        if self.chars < WORD_CHARS {
            // The Greek small sigma has another form at the end of a word. Both forms are one
            // letter.
            self.text.push(if c == 'ς' { 'σ' } else { c });
        }
        self.chars += 1;
    }

    fn end_word(&mut self) {
        self.chars = 0;
    }
}

/// The search text is longer than [`Search::MAX_CHARS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be at most {} characters long", Search::MAX_CHARS)]
pub struct SearchTooLong;

/// A search for texts: a text matches if every word of the search is a prefix of some word of the
/// text. A search without words matches every text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// The search as the user typed it. Empty if the search has no words.
    text: String,
    /// Words in normal form, sorted and without duplicates. Each word has a space before it, as in
    /// [`SearchText`].
    prefixes: Vec<String>,
}

impl Search {
    /// Maximum number of characters (Unicode scalar values) of a search.
    pub const MAX_CHARS: usize = 256;

    /// Parses a search as the user typed it.
    pub fn parse(raw: &str) -> Result<Self, SearchTooLong> {
        if raw.chars().count() > Self::MAX_CHARS {
            return Err(SearchTooLong);
        }
        let SearchText(words) = SearchText::of([raw]);
        let mut prefixes: Vec<String> =
            words.split_terminator(' ').skip(1).map(|word| format!(" {word}")).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        let text = if prefixes.is_empty() { String::new() } else { raw.to_owned() };
        Ok(Self { text, prefixes })
    }

    /// Returns the search as the user typed it, or an empty string if the search has no words.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether the search has no words, and so matches every text.
    pub fn is_empty(&self) -> bool {
        self.prefixes.is_empty()
    }

    /// Returns the words of the search in normal form, with letters and digits only. A text matches
    /// if each returned word is a prefix of some word of the text.
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        self.prefixes.iter().map(|prefix| prefix.trim_start())
    }

    /// Returns whether every word of the search is a prefix of some word of `text`.
    pub fn matches(&self, text: &SearchText) -> bool {
        self.prefixes.iter().all(|prefix| text.0.contains(prefix.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn finds(search: &str, text: &str) -> bool {
        Search::parse(search).unwrap().matches(&SearchText::of([text]))
    }

    #[test]
    fn search_ignores_case_diacritics_and_letter_forms() {
        for (search, text) in [
            ("uber", "Über"),
            ("ÜBER", "u\u{308}berall"),
            ("istanbul", "İSTANBUL"),
            ("ΟΔΟΣ", "οδός"),
            ("οδοσ", "ΟΔΟΣ"),
            ("file", "\u{fb01}le"),
            ("h2", "ℌ\u{b2}"),
            ("привет", "ПРИВЕТ"),
            ("ё", "е"),
            ("한", "한국어"),
            ("नमस", "नमस्ते"),
        ] {
            assert!(finds(search, text), "{search} in {text}");
        }
    }

    #[test]
    fn every_search_word_is_a_prefix_of_some_word() {
        let text = "Disk /dev/sda1 is 95% full, on db-3.example.org";
        for search in
            ["", " ", "!?", "disk", "di fu", "full disk", "95", "dev/sd", "db-3.ex", "sda1"]
        {
            assert!(finds(search, text), "{search}");
        }
        for search in ["isk", "disk empty", "5", "ull", "disk x"] {
            assert!(!finds(search, text), "{search}");
        }
    }

    #[test]
    fn a_word_does_not_span_two_texts() {
        let text = SearchText::of(["north", "gate", "", "Ö", "l"]);
        assert_eq!(text.as_str(), " north gate o l");
        assert!(!Search::parse("northg").unwrap().matches(&text));
    }

    #[test]
    fn only_the_beginning_of_a_long_word_is_compared() {
        let long = "x".repeat(WORD_CHARS);
        assert!(finds(&format!("{long}y"), &format!("{long}z")));
        assert_eq!(SearchText::of([format!("{long}z").as_str()]).as_str().len(), 1 + WORD_CHARS);
    }

    #[test]
    fn the_length_of_a_search_is_limited() {
        assert!(Search::parse(&"é".repeat(Search::MAX_CHARS)).is_ok());
        assert_eq!(Search::parse(&"é".repeat(Search::MAX_CHARS + 1)), Err(SearchTooLong));
    }

    proptest! {
        #[test]
        fn normalizing_twice_returns_the_same_text(text in "\\PC*|[\\p{L}\\p{M}\\p{N} ]{0,40}") {
            let once = SearchText::of([text.as_str()]);
            prop_assert_eq!(SearchText::of([once.as_str()]), once);
        }

        #[test]
        fn words_contain_only_letters_and_digits(text in "\\PC*|[\\p{L}\\p{M}\\p{N} ]{0,40}") {
            for word in SearchText::of([text.as_str()]).as_str().split_terminator(' ').skip(1) {
                prop_assert!(!word.is_empty());
                prop_assert!(word.chars().all(char::is_alphanumeric), "{word:?}");
                prop_assert!(word.chars().count() <= WORD_CHARS);
            }
        }

        #[test]
        fn a_text_matches_a_search_for_itself(text in "\\PC{0,64}") {
            prop_assert!(finds(&text, &text));
        }
    }
}
