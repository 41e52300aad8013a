//! A position as one opaque string: sixteen hexadecimal digits, a dash, and a decimal number.
//!
//! Clients store the string and send it back. Clients must not rely on the form of the string.

use northgate_domain::{Epoch, Position};
use serde::{Serialize, Serializer};
use std::fmt;
use std::io::Write;

/// Wire form of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionText(pub Position);

impl fmt::Display for PositionText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.0.epoch.get(), self.0.offset)
    }
}

impl Serialize for PositionText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Appends the text of a position to `out`.
pub fn encode_position(position: Position, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{}", PositionText(position));
}

/// A text does not have the form of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a position; send a position exactly as the server sent it")]
pub struct PositionError;

/// Parses a position. Only the exact form that the server sends is accepted.
pub fn parse_position(text: &str) -> Result<Position, PositionError> {
    let (epoch, offset) = text.split_once('-').ok_or(PositionError)?;
    let lower_hex = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
    if epoch.len() != 16 || !epoch.bytes().all(lower_hex) {
        return Err(PositionError);
    }
    let canonical = offset == "0" || !offset.starts_with('0');
    if !canonical || !offset.bytes().all(|c| c.is_ascii_digit()) {
        return Err(PositionError);
    }
    Ok(Position {
        epoch: Epoch::new(u64::from_str_radix(epoch, 16).map_err(|_| PositionError)?),
        offset: offset.parse().map_err(|_| PositionError)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_position_is_one_string_without_spaces() {
        let position = Position { epoch: Epoch::new(0xab), offset: 12 };
        assert_eq!(PositionText(position).to_string(), "00000000000000ab-12");
    }

    #[test]
    fn a_text_in_any_other_form_is_not_a_position() {
        for text in [
            "",
            "-",
            "1-1",
            "00000000000000ab",
            "00000000000000ab-",
            "00000000000000AB-1",
            "00000000000000ab-01",
            "00000000000000ab-+1",
            "00000000000000ab--1",
            "00000000000000ab-18446744073709551616",
            "+0000000000000ab-1",
            " 00000000000000ab-1",
        ] {
            assert_eq!(parse_position(text), Err(PositionError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn positions_round_trip(epoch: u64, offset: u64) {
            let position = Position { epoch: Epoch::new(epoch), offset };
            prop_assert_eq!(parse_position(&PositionText(position).to_string()), Ok(position));
        }

        #[test]
        fn only_the_canonical_form_is_parsed(text in "[0-9a-fA-F+ -]{0,40}|\\PC{0,40}") {
            if let Ok(position) = parse_position(&text) {
                prop_assert_eq!(PositionText(position).to_string(), text);
            }
        }
    }
}
