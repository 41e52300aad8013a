//! Free-text search: one normal form for what is kept and for what is looked for, so that every
//! store finds the same.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// How much of a word counts, in characters of its normal form.
const WORD_CHARS: usize = 64;

/// The words of some texts in normal form: decomposed for compatibility (NFKD), lower-cased, and
/// without the marks that a letter carries. A word is a run of letters and digits, of which the
/// first 64 count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchText(String);

impl SearchText {
    /// The words of all `texts`, in their order.
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

    /// The words, each after one space.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Collects words: each character goes to the present word, ends it, or says nothing.
#[derive(Default)]
struct Words {
    text: String,
    /// Characters of the present word; none before it begins.
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
            // The two forms of a small sigma differ by their place in a word only.
            self.text.push(if c == 'ς' { 'σ' } else { c });
        }
        self.chars += 1;
    }

    fn end_word(&mut self) {
        self.chars = 0;
    }
}

/// Why a search was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be at most {} characters long", Search::MAX_CHARS)]
pub struct SearchTooLong;

/// What somebody looks for: texts in which every word of the search begins some word. A search
/// without words finds everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// The search as it was typed; empty if it has no words.
    text: String,
    /// Each after one space, as [`SearchText`] has them.
    prefixes: Vec<String>,
}

impl Search {
    /// The most characters (Unicode scalar values) of a search.
    pub const MAX_CHARS: usize = 256;

    /// Reads what somebody typed.
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

    /// The search as it was typed; empty if it has no words.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.prefixes.is_empty()
    }

    /// The beginnings of words that must all be found, in normal form: letters and digits only.
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        self.prefixes.iter().map(|prefix| prefix.trim_start())
    }

    /// Whether every word of the search begins some word of `text`.
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
    fn case_diacritics_and_forms_of_letters_do_not_count() {
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
    fn every_word_is_a_beginning_of_some_word() {
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
    fn words_do_not_run_from_one_text_into_the_next() {
        let text = SearchText::of(["north", "gate", "", "Ö", "l"]);
        assert_eq!(text.as_str(), " north gate o l");
        assert!(!Search::parse("northg").unwrap().matches(&text));
    }

    #[test]
    fn the_beginning_of_a_long_word_counts() {
        let long = "x".repeat(WORD_CHARS);
        assert!(finds(&format!("{long}y"), &format!("{long}z")));
        assert_eq!(SearchText::of([format!("{long}z").as_str()]).as_str().len(), 1 + WORD_CHARS);
    }

    #[test]
    fn a_search_is_short() {
        assert!(Search::parse(&"é".repeat(Search::MAX_CHARS)).is_ok());
        assert_eq!(Search::parse(&"é".repeat(Search::MAX_CHARS + 1)), Err(SearchTooLong));
    }

    proptest! {
        #[test]
        fn the_normal_form_is_its_own_normal_form(text in "\\PC*|[\\p{L}\\p{M}\\p{N} ]{0,40}") {
            let once = SearchText::of([text.as_str()]);
            prop_assert_eq!(SearchText::of([once.as_str()]), once);
        }

        #[test]
        fn words_hold_letters_and_digits_only(text in "\\PC*|[\\p{L}\\p{M}\\p{N} ]{0,40}") {
            for word in SearchText::of([text.as_str()]).as_str().split_terminator(' ').skip(1) {
                prop_assert!(!word.is_empty());
                prop_assert!(word.chars().all(char::is_alphanumeric), "{word:?}");
                prop_assert!(word.chars().count() <= WORD_CHARS);
            }
        }

        #[test]
        fn a_text_is_found_by_what_it_says(text in "\\PC{0,64}") {
            prop_assert!(finds(&text, &text));
        }
    }
}
