//! A position is accepted only in exactly the form in which the server writes it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use northgate_schemas::{PositionText, parse_position};

fuzz_target!(|text: &str| {
    if let Ok(position) = parse_position(text) {
        assert_eq!(PositionText(position).to_string(), text);
    }
});
