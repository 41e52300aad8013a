//! How many alerts there are of each status and severity.

use northgate_domain::{Alert, Position, Severity, StatusKind};

/// Counts of alerts by status and severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlertCounts([[u64; 4]; 3]);

impl AlertCounts {
    /// How many there are of a status and a severity.
    pub fn count(&self, status: StatusKind, severity: Severity) -> u64 {
        *{ *self }.count_mut(status, severity)
    }

    /// Counts one alert as it stands.
    pub fn add(&mut self, alert: &Alert) {
        let count = self.count_mut(alert.status.kind(), alert.severity);
        *count = count.saturating_add(1);
    }

    /// Counts one alert less, which stood like this.
    pub fn remove(&mut self, alert: &Alert) {
        self.remove_one(alert.status.kind(), alert.severity);
    }

    /// Counts one alert less of a status and a severity.
    pub fn remove_one(&mut self, status: StatusKind, severity: Severity) {
        let count = self.count_mut(status, severity);
        *count = count.saturating_sub(1);
    }

    #[expect(clippy::indexing_slicing, reason = "there is a place for each of them")]
    /// Where a store that counts for itself puts what it has counted.
    pub fn count_mut(&mut self, status: StatusKind, severity: Severity) -> &mut u64 {
        let Self(counts) = self;
        &mut counts[index_of(&StatusKind::ALL, &status)][index_of(&Severity::ALL, &severity)]
    }
}

/// The place of `item` among all of its kind.
fn index_of<T: PartialEq>(all: &[T], item: &T) -> usize {
    all.iter().position(|one| one == item).unwrap_or_default()
}

/// All alerts in numbers, together with the position of the log that they reflect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The newest event that the counts reflect.
    pub position: Position,
    /// The counts.
    pub counts: AlertCounts,
}
