//! Labels: searchable name/value pairs of an alert.

use crate::{LabelValue, TextError};
use std::fmt;
use std::sync::Arc;

/// Name of a label: 1 to 64 ASCII letters, digits, `_`, `-`, `.` or `/`. The first character is a
/// letter or `_`. Cloning shares the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelName(Arc<str>);

impl LabelName {
    /// Maximum number of characters of a name.
    pub const MAX_CHARS: usize = 64;

    /// Parses a name as a client sent it.
    pub fn parse(raw: &str) -> Result<Self, LabelError> {
        let first = |c: char| c.is_ascii_alphabetic() || c == '_';
        let any = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
        if raw.len() <= Self::MAX_CHARS && raw.starts_with(first) && raw.chars().all(any) {
            Ok(Self(raw.into()))
        } else {
            Err(LabelError::Name)
        }
    }

    /// Restores a name that was stored; see [`LabelValue::from_stored`].
    pub fn from_stored(stored: &str) -> Self {
        Self(stored.into())
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LabelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reason why labels are not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// A name is not valid; see [`LabelName`].
    #[error(
        "must have names of 1 to {} letters, digits, _ - . or /, starting with a letter or _",
        LabelName::MAX_CHARS
    )]
    Name,
    /// A value is not valid.
    #[error(transparent)]
    Value(#[from] TextError),
    /// The alert has more than [`Labels::MAX`] labels.
    #[error("must contain at most {} labels", Labels::MAX)]
    TooMany,
}

/// One label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label {
    /// Name, unique among the labels of an alert.
    pub name: LabelName,
    /// Value, at most 256 characters.
    pub value: LabelValue,
}

/// Labels of one alert: at most 32, sorted by name, with unique names. Cloning shares the labels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// `None` if there are no labels, so that an alert without labels allocates nothing.
    sorted: Option<Arc<[Label]>>,
}

impl Labels {
    /// Maximum number of labels of an alert.
    pub const MAX: usize = 32;

    /// Accepts labels in any order. If a name occurs twice, the last value is used.
    pub fn new(labels: Vec<Label>) -> Result<Self, LabelError> {
        let labels = Self::from_stored(labels);
        if labels.as_slice().len() > Self::MAX { Err(LabelError::TooMany) } else { Ok(labels) }
    }

    /// Restores labels that were stored, without a limit on their number.
    pub fn from_stored(labels: Vec<Label>) -> Self {
        let mut sorted: Vec<Label> = Vec::with_capacity(labels.len());
        for label in labels {
            match sorted.binary_search_by(|held| held.name.cmp(&label.name)) {
                Ok(at) => {
                    if let Some(held) = sorted.get_mut(at) {
                        *held = label;
                    }
                }
                Err(at) => sorted.insert(at, label),
            }
        }
        Self { sorted: (!sorted.is_empty()).then(|| sorted.into()) }
    }

    /// Returns the labels, sorted by name.
    pub fn as_slice(&self) -> &[Label] {
        self.sorted.as_deref().unwrap_or_default()
    }

    /// Returns whether the alert has a label with this name and this value.
    pub fn contains(&self, label: &Label) -> bool {
        self.as_slice().binary_search(label).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, value: &str) -> Label {
        Label { name: LabelName::parse(name).unwrap(), value: LabelValue::parse(value).unwrap() }
    }

    #[test]
    fn label_names_are_1_to_64_plain_characters() {
        for name in ["a", "_", "host", "app.kubernetes.io/name", "A-1", &"x".repeat(64)] {
            assert_eq!(LabelName::parse(name).unwrap().as_str(), name);
        }
        for name in ["", "1", "-a", ".a", "a b", "ä", "a=b", "a\"", "a\n", &"x".repeat(65)] {
            assert_eq!(LabelName::parse(name), Err(LabelError::Name), "{name:?}");
        }
    }

    #[test]
    fn labels_are_sorted_and_the_last_value_of_a_name_wins() {
        let labels = Labels::new(vec![label("b", "1"), label("a", "2"), label("b", "3")]).unwrap();
        assert_eq!(labels.as_slice(), [label("a", "2"), label("b", "3")]);
        assert!(labels.contains(&label("b", "3")) && !labels.contains(&label("b", "1")));
        assert_eq!(Labels::new(vec![]).unwrap(), Labels::default());
    }

    #[test]
    fn the_number_of_labels_is_limited() {
        let some = |n: usize| (0..n).map(|n| label(&format!("l{n}"), "x")).collect();
        assert_eq!(Labels::new(some(32)).unwrap().as_slice().len(), 32);
        assert_eq!(Labels::new(some(33)), Err(LabelError::TooMany));
    }
}
