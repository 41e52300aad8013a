//! The scenario of the generator.

use super::{ValueError, from_text, not};
use northgate_services::Scenario;
use serde::Deserialize;
use std::str::FromStr;

/// Scenario of the generator: `quiet`, `busy` or `storm`; `none` means that the generator raises
/// the same alert again and again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct GeneratorScenario(pub Option<Scenario>);

impl FromStr for GeneratorScenario {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let scenario = Scenario::ALL.into_iter().find(|scenario| scenario.name() == text);
        if scenario.is_none() && text != "none" {
            return Err(not(text, "one of quiet, busy, storm, none"));
        }
        Ok(Self(scenario))
    }
}

from_text!(GeneratorScenario);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_one_of_the_names_or_none() {
        let parsed = |text: &str| text.parse::<GeneratorScenario>().map(|parsed| parsed.0);
        for scenario in Scenario::ALL {
            assert_eq!(parsed(scenario.name()), Ok(Some(scenario)));
        }
        assert_eq!(parsed("none"), Ok(None));
        for bad in ["", "Busy", "off", "hectic"] {
            assert!(parsed(bad).is_err(), "{bad:?}");
        }
    }
}
