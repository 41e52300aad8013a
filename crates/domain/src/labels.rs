//! Labels: names with values, by which alerts are told apart and found.

use crate::{LabelValue, TextError};
use std::fmt;
use std::sync::Arc;

/// The name of a label: 1 to 64 ASCII letters, digits and `_`, `-`, `.`, `/`, of which the first is
/// a letter or `_`. Cloning shares the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelName(Arc<str>);

impl LabelName {
    /// The most characters of a name.
    pub const MAX_CHARS: usize = 64;

    /// Takes a name as it was sent.
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

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LabelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why labels were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// A name is none.
    #[error(
        "must have names of 1 to {} letters, digits and _ - . /, beginning with a letter or _",
        LabelName::MAX_CHARS
    )]
    Name,
    /// A value is none.
    #[error(transparent)]
    Value(#[from] TextError),
    /// There are more than an alert takes.
    #[error("must be at most {}", Labels::MAX)]
    TooMany,
}

/// One label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label {
    /// What it is about.
    pub name: LabelName,
    /// What it says.
    pub value: LabelValue,
}

/// The labels of one alert, at most 32, in the order of their names, each of which there is once.
/// Cloning shares them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// Nothing is allocated for an alert without any.
    sorted: Option<Arc<[Label]>>,
}

impl Labels {
    /// The most labels of an alert.
    pub const MAX: usize = 32;

    /// Takes labels in any order; of two with one name the last one counts.
    pub fn new(labels: Vec<Label>) -> Result<Self, LabelError> {
        let labels = Self::from_stored(labels);
        if labels.as_slice().len() > Self::MAX { Err(LabelError::TooMany) } else { Ok(labels) }
    }

    /// Restores labels that were stored, however many there are.
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

    /// The labels in the order of their names.
    pub fn as_slice(&self) -> &[Label] {
        self.sorted.as_deref().unwrap_or_default()
    }

    /// Whether this label is among them.
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
    fn names_are_plain_and_short() {
        for name in ["a", "_", "host", "app.kubernetes.io/name", "A-1", &"x".repeat(64)] {
            assert_eq!(LabelName::parse(name).unwrap().as_str(), name);
        }
        for name in ["", "1", "-a", ".a", "a b", "ä", "a=b", "a\"", "a\n", &"x".repeat(65)] {
            assert_eq!(LabelName::parse(name), Err(LabelError::Name), "{name:?}");
        }
    }

    #[test]
    fn labels_are_sorted_and_the_last_of_one_name_counts() {
        let labels = Labels::new(vec![label("b", "1"), label("a", "2"), label("b", "3")]).unwrap();
        assert_eq!(labels.as_slice(), [label("a", "2"), label("b", "3")]);
        assert!(labels.contains(&label("b", "3")) && !labels.contains(&label("b", "1")));
        assert_eq!(Labels::new(vec![]).unwrap(), Labels::default());
    }

    #[test]
    fn there_is_a_limit_to_labels() {
        let some = |n: usize| (0..n).map(|n| label(&format!("l{n}"), "x")).collect();
        assert_eq!(Labels::new(some(32)).unwrap().as_slice().len(), 32);
        assert_eq!(Labels::new(some(33)), Err(LabelError::TooMany));
    }
}
