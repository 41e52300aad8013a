//! The report: a table for people, JSON for programs, medians over rounds, ratios to the floor.

mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::error::{BenchError, Result};
use crate::latency::Latency;
use crate::receivers::{DeliveryStats, Endings};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Unit {
    #[serde(rename = "ms")]
    Millis,
    #[serde(rename = "us")]
    Micros,
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "1/s")]
    PerSecond,
    #[serde(rename = "KiB")]
    KiB,
    #[serde(rename = "bytes")]
    Bytes,
    #[serde(rename = "count")]
    Count,
    #[serde(rename = "ratio")]
    Ratio,
}

/// One figure of one round.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measure {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    pub(crate) value: f64,
}

/// Result of the check that every socket received every answered alert once and in order.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Verdict {
    pub(crate) expected: u64,
    pub(crate) delivered: u64,
    pub(crate) missing: u64,
    pub(crate) repeated: u64,
    pub(crate) reordered: u64,
    /// Number of sockets that received every alert, but in another order than most sockets.
    pub(crate) differing_sockets: u64,
    /// Text frames that contain no alert of the run, for example another program's alerts.
    pub(crate) foreign: u64,
    /// Number of sockets that ended, by kind of end. Every entry breaks a promise, because no
    /// socket should end.
    pub(crate) endings: BTreeMap<String, u64>,
    /// Reasons why publishers stopped early.
    pub(crate) failures: Vec<String>,
}

impl Verdict {
    /// Creates a verdict for sockets that should all have stayed open.
    pub(crate) fn new(expected: u64, stats: &DeliveryStats, endings: &Endings) -> Self {
        Self {
            expected,
            delivered: stats.delivered,
            missing: stats.errors.missing,
            repeated: stats.errors.repeated,
            reordered: stats.errors.reordered,
            differing_sockets: stats.errors.differing_sockets(),
            foreign: stats.foreign,
            endings: endings.by_name(),
            failures: Vec::new(),
        }
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.missing + self.repeated + self.reordered + self.differing_sockets == 0
            && self.endings.is_empty()
            && self.failures.is_empty()
    }
}

/// The results of one round for one target.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct TargetReport {
    pub(crate) measures: Vec<Measure>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) verdicts: BTreeMap<String, Verdict>,
    /// Remarks about the round, for people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
    /// Broken promises, in addition to those in the verdicts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) broken: Vec<String>,
    /// Actual size of the server's frames in bytes. The floor uses the same size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) frame_bytes: Option<usize>,
}

impl TargetReport {
    pub(crate) fn measure(
        &mut self,
        name: impl Into<String>,
        unit: Unit,
        value: impl Into<Option<f64>>,
    ) {
        if let Some(value) = value.into() {
            let name = name.into();
            self.measures.push(Measure { name, unit, value });
        }
    }

    /// Adds percentiles of a latency, with names that begin with `prefix`.
    pub(crate) fn measure_percentiles(&mut self, prefix: &str, latency: &Latency, of: &[u8]) {
        for percent in of {
            let value = latency.quantile_ms(f64::from(*percent) / 100.0);
            self.measure(format!("{prefix} p{percent}"), Unit::Millis, value);
        }
    }

    pub(crate) fn holds(&self) -> bool {
        self.broken.is_empty() && self.verdicts.values().all(Verdict::is_clean)
    }

    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        let measure = self.measures.iter().find(|measure| measure.name == name)?;
        Some(measure.value)
    }
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Round {
    pub(crate) server: TargetReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) floor: Option<TargetReport>,
}

impl Round {
    fn holds(&self) -> bool {
        self.server.holds() && self.floor.as_ref().is_none_or(TargetReport::holds)
    }
}

/// Names of the two compared targets.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Columns {
    pub(crate) server: &'static str,
    pub(crate) floor: &'static str,
}

/// Median of one figure over all rounds.
#[derive(Debug, Serialize)]
struct Figure {
    name: String,
    unit: Unit,
    server: f64,
    floor: Option<f64>,
    ratio: Option<f64>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    scenario: &'static str,
    parameters: Value,
    columns: Columns,
    /// Medians over the rounds, and the ratio of the server's median to the floor's.
    figures: Vec<Figure>,
    /// Whether no promise was broken in any round.
    passed: bool,
    rounds: Vec<Round>,
}

impl Report {
    pub(crate) fn new(
        scenario: &'static str,
        columns: Columns,
        parameters: &impl Serialize,
        rounds: Vec<Round>,
    ) -> Self {
        Self {
            scenario,
            // Parameters that cannot be written as JSON are omitted, so that the run does not fail.
            parameters: serde_json::to_value(parameters).unwrap_or_default(),
            columns,
            figures: figures(&rounds),
            passed: rounds.iter().all(Round::holds),
            rounds,
        }
    }

    pub(crate) fn passed(&self) -> bool {
        self.passed
    }

    pub(crate) fn write_json(&self, path: &Path) -> Result<()> {
        let failed = |source| BenchError::Report { path: path.to_owned(), source };
        let mut json = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        json.push(b'\n');
        fs::write(path, json).map_err(failed)
    }
}

fn figures(rounds: &[Round]) -> Vec<Figure> {
    let Some(first) = rounds.first() else {
        return Vec::new();
    };
    let figure = |Measure { name, unit, .. }: &Measure| {
        let server = median(rounds.iter().filter_map(|round| round.server.value(name)))?;
        let floors = rounds.iter().filter_map(|round| round.floor.as_ref());
        let floor = median(floors.filter_map(|report| report.value(name)));
        Some(Figure {
            name: name.clone(),
            unit: *unit,
            server,
            floor,
            ratio: floor.filter(|floor| *floor > 0.0).map(|floor| server / floor),
        })
    };
    first.server.measures.iter().filter_map(figure).collect()
}

/// Rounds to the nearest integer.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates and counts are positive and far below 2^53"
)]
pub(crate) fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// Returns the middle value, or the mean of the two middle values.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    values.get(middle - 1).map(|lower| f64::midpoint(*lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Columns = Columns { server: "server", floor: "floor" };

    fn report(value: f64) -> TargetReport {
        let mut report = TargetReport::default();
        report.measure("p99", Unit::Millis, value);
        report
    }

    #[test]
    fn figures_are_medians_and_ratios() {
        let rounds = [(3.0, 2.0), (9.0, 2.0), (4.0, 1.0)]
            .map(|(server, floor)| Round { server: report(server), floor: Some(report(floor)) });
        let report = Report::new("x", NAMES, &Value::Null, rounds.to_vec());
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["figures"][0]["server"], 4.0);
        assert_eq!(json["figures"][0]["floor"], 2.0);
        assert_eq!(json["figures"][0]["ratio"], 2.0);
        assert_eq!(json["passed"], true);
    }

    #[test]
    fn one_lost_delivery_in_one_round_makes_the_report_fail() {
        let mut lost = report(1.0);
        let verdict = Verdict { missing: 1, ..Verdict::default() };
        lost.verdicts.insert("all".to_owned(), verdict);
        let rounds =
            vec![Round { server: report(1.0), floor: None }, Round { server: lost, floor: None }];
        assert!(!Report::new("x", NAMES, &Value::Null, rounds).passed());
    }

    #[test]
    fn the_median_of_two_values_is_their_mean() {
        assert_eq!(median([4.0, 2.0].into_iter()), Some(3.0));
        assert_eq!(median(std::iter::empty()), None);
    }
}
