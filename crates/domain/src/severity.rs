//! How bad it is.

use crate::named::named;

named! {
    /// The severity of an alert, in the words of the Common Event Format (PD-CEF); a later one is worse.
    #[derive(Default)]
    pub enum Severity {
        /// Nothing to do.
        Info = "info",
        /// Something to look at. An alert that does not say how bad it is counts as this.
        #[default]
        Warning = "warning",
        /// Something is broken.
        Error = "error",
        /// Something that matters is broken.
        Critical = "critical",
    }
}

impl Severity {
    /// This one and all that are worse.
    pub fn and_worse(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |severity| *severity >= self)
    }
}
