//! Texts of limited length. Only this file defines the limits of messages, names and other texts.

use std::fmt;
use std::sync::Arc;

/// Reason why a text is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The text has no visible character.
    #[error("must not be blank")]
    Blank,
    /// The text has more characters than the field allows.
    #[error("must be at most {limit} characters long")]
    TooLong {
        /// Maximum number of characters (Unicode scalar values) of the field.
        limit: usize,
    },
    /// The text contains a control character other than newline and tab.
    #[error("must not contain control characters other than newline and tab")]
    ControlCharacter,
}

/// Brings `raw` into the stored form: replaces CRLF with LF and trims white space at both ends.
fn parse(raw: &str, limit: usize) -> Result<Arc<str>, TextError> {
    let unix;
    let text = if raw.contains('\r') {
        unix = raw.replace("\r\n", "\n");
        unix.trim()
    } else {
        raw.trim()
    };
    if text.chars().all(is_invisible) {
        return Err(TextError::Blank);
    }
    // A text never has more characters than bytes, so the characters of a short text are not
    // counted.
    if text.len() > limit && text.chars().count() > limit {
        return Err(TextError::TooLong { limit });
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(TextError::ControlCharacter);
    }
    Ok(text.into())
}

/// Returns whether a character is invisible: white space, or a code point that Unicode marks as
/// ignorable in display (`Default_Ignorable_Code_Point`, UAX 44), for example a zero-width space.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

macro_rules! bounded_text {
    ($(#[$doc:meta])* $name:ident, $limit:literal) => {
        $(#[$doc])*
        ///
        /// Trimmed, with LF line ends, never blank, and without control characters other than
        /// newline and tab. Cloning shares the text.
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Maximum number of characters (Unicode scalar values).
            pub const MAX_CHARS: usize = $limit;

            /// Parses `raw` and returns the text in its stored form, or the reason why the text is
            /// not accepted.
            pub fn parse(raw: &str) -> Result<Self, TextError> {
                parse(raw, Self::MAX_CHARS).map(Self)
            }

            /// Restores a text that was stored. The limits are not checked, because limits can
            /// change and stored data must stay readable.
            pub fn from_stored(stored: &str) -> Self {
                Self(stored.into())
            }

            /// Returns the text in its stored form.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

bounded_text!(
    /// Text of an alert or a chat message: at most 4,096 characters.
    MessageText,
    4_096
);
bounded_text!(
    /// Location of an alert: at most 256 characters.
    Location,
    256
);
bounded_text!(
    /// Author of a chat message: at most 128 characters.
    Sender,
    128
);
bounded_text!(
    /// System that raised an alert: at most 128 characters.
    Source,
    128
);
bounded_text!(
    /// Deduplication key, equal in all repeats of one alert: at most 255 characters.
    DedupKey,
    255
);
bounded_text!(
    /// Value of a label: at most 256 characters.
    LabelValue,
    256
);
bounded_text!(
    /// Operator who acted on an alert: at most 128 characters.
    Operator,
    128
);
bounded_text!(
    /// Text of a note about an alert: at most 1,024 characters.
    NoteText,
    1_024
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_trimmed_and_line_ends_become_lf() {
        let text = MessageText::parse(" \r\n one\r\ntwo\tthree \n").unwrap();
        assert_eq!(text.as_str(), "one\ntwo\tthree");
    }

    #[test]
    fn each_kind_of_bad_text_has_its_own_error() {
        assert_eq!(Sender::parse(" \u{2003}\n"), Err(TextError::Blank));
        assert_eq!(Sender::parse(""), Err(TextError::Blank));
        for blank in ["\u{200b}", " \u{feff}\u{200d} ", "\u{2060}\n\u{ad}", "\u{3164}", "\u{e0020}"]
        {
            assert_eq!(Sender::parse(blank), Err(TextError::Blank), "{blank:?}");
        }
        assert!(Sender::parse("\u{200b}a\u{301}").is_ok());
        assert!(Sender::parse("\u{1f6a8}\u{fe0f}").is_ok());
        assert_eq!(Sender::parse("a\u{7}b"), Err(TextError::ControlCharacter));
        assert_eq!(Sender::parse("a\rb"), Err(TextError::ControlCharacter));
        assert_eq!(Sender::parse("a\u{0}"), Err(TextError::ControlCharacter));
    }

    #[test]
    fn limits_count_characters_and_not_bytes() {
        let widest = "\u{1F6A8}".repeat(Sender::MAX_CHARS);
        assert!(Sender::parse(&widest).is_ok());
        let too_wide = "\u{1F6A8}".repeat(Sender::MAX_CHARS + 1);
        assert_eq!(Sender::parse(&too_wide), Err(TextError::TooLong { limit: 128 }));
    }

    #[test]
    fn white_space_at_the_ends_is_not_counted() {
        let padded = format!("  {}\n", "x".repeat(Sender::MAX_CHARS));
        assert!(Sender::parse(&padded).is_ok());
    }

    proptest! {
        #[test]
        fn accepted_text_is_trimmed_bounded_and_without_controls(raw in "\\PC*|[\\s\\x00-\\x20a\u{85}\u{1F6A8}]{0,300}") {
            if let Ok(text) = Location::parse(&raw) {
                let stored = text.as_str();
                prop_assert!(!stored.is_empty());
                prop_assert_eq!(stored.trim(), stored);
                prop_assert!(stored.chars().count() <= Location::MAX_CHARS);
                prop_assert!(!stored.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
                prop_assert_eq!(Location::parse(stored), Ok(text.clone()));
            }
        }
    }
}
