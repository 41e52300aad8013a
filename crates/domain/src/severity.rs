//! The severity of an alert.

use crate::named::named;

named! {
    /// Severity of an alert, from the least to the most severe. The names are those of the
    /// `PagerDuty` Common Event Format (PD-CEF).
    #[derive(Default)]
    pub enum Severity {
        /// For information only: no action is necessary.
        Info = "info",
        /// Something to check. This is the default severity.
        #[default]
        Warning = "warning",
        /// Something is broken.
        Error = "error",
        /// Something important is broken.
        Critical = "critical",
    }
}

impl Severity {
    /// Returns this severity and all worse severities.
    pub fn and_worse(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |severity| *severity >= self)
    }
}
