//! Histogram of latencies from 64 ns to ten minutes, with three significant digits.

use hdrhistogram::{CreationError, Histogram};

use crate::clock::Nanos;

const LOWEST: Nanos = 64;
const HIGHEST: Nanos = 600_000_000_000;
const DIGITS: u8 = 3;

#[derive(Clone, Debug)]
pub(crate) struct Latency(Histogram<u64>);

impl Latency {
    pub(crate) fn new() -> Result<Self, CreationError> {
        Histogram::new_with_bounds(LOWEST, HIGHEST, DIGITS).map(Self)
    }

    pub(crate) fn record(&mut self, span: Nanos) {
        self.0.saturating_record(span);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        // Fails only if the bounds differ, and all histograms have the same bounds.
        let _same_bounds = self.0.add(&other.0);
    }

    /// Returns a quantile in milliseconds; `None` without a sample.
    pub(crate) fn quantile_ms(&self, quantile: f64) -> Option<f64> {
        (!self.0.is_empty()).then(|| millis(self.0.value_at_quantile(quantile)))
    }

    pub(crate) fn max_ms(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| millis(self.0.max()))
    }
}

/// Converts nanoseconds to milliseconds.
#[expect(clippy::cast_precision_loss, reason = "spans of minutes are far below 2^53 ns")]
pub(crate) fn millis(span: Nanos) -> f64 {
    span as f64 / 1e6
}

/// Converts nanoseconds to seconds.
pub(crate) fn seconds(span: Nanos) -> f64 {
    millis(span) / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_in_milliseconds() {
        let mut latency = Latency::new().unwrap();
        assert!(latency.quantile_ms(0.5).is_none());
        for span in [1_000_000, 2_000_000, 3_000_000] {
            latency.record(span);
        }
        let mut other = Latency::new().unwrap();
        other.record(Nanos::MAX);
        latency.merge(&other);
        let median = latency.quantile_ms(0.5).unwrap();
        assert!((median - 2.0).abs() < 0.01, "{median}");
        assert!(latency.max_ms().unwrap() > 599_000.0);
    }
}
