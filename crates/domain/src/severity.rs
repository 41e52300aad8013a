//! How bad it is.

/// The severity of an alert, in the words of the Common Event Format (PD-CEF); a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Severity {
    /// Nothing to do.
    Info,
    /// Something to look at. An alert that does not say how bad it is counts as this.
    #[default]
    Warning,
    /// Something is broken.
    Error,
    /// Something that matters is broken.
    Critical,
}

impl Severity {
    /// All of them, from the mildest on.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// The severity that is called `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }

    /// This one and all that are worse.
    pub fn and_worse(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |severity| *severity >= self)
    }
}
