//! The health of a store, for probes and log lines.

use std::fmt;

/// Whether a store can write events, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreHealth {
    /// The store can write.
    Keeping,
    /// The disk has too little free space.
    DiskFull,
    /// Unresolved alerts use up the configured number of bytes.
    OnlyOpenAlertsLeft,
    /// A file of the store is missing, replaced, truncated or inaccessible.
    FileChanged {
        /// Name of the file in the data folder.
        file: &'static str,
        /// Kind of the change.
        change: FileChange,
    },
    /// The last attempt to write failed for another reason, which the server log contains.
    Failing,
}

/// A change to a file of the store that the store did not cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileChange {
    /// The file was moved or deleted.
    Gone,
    /// Another file has the same path.
    Replaced,
    /// The file is shorter than before.
    Truncated,
    /// The operating system returns an error for the path.
    Unreachable,
}

impl fmt::Display for FileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "was moved or deleted",
            Self::Replaced => "was replaced by another file",
            Self::Truncated => "was truncated",
            Self::Unreachable => "cannot be accessed",
        })
    }
}

impl fmt::Display for StoreHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keeping => f.write_str("the store can write events"),
            Self::DiskFull => f.write_str("the disk of the data folder is full"),
            Self::OnlyOpenAlertsLeft => f.write_str("unresolved alerts use up --retain-bytes"),
            Self::FileChanged { file, change } => write!(f, "{file} in the data folder {change}"),
            Self::Failing => {
                f.write_str("the store cannot write events; the server log contains the reason")
            }
        }
    }
}

/// A file of the store that is missing, replaced, truncated or inaccessible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{file} {change}")]
pub(crate) struct ChangedFile {
    /// Name of the file in the data folder.
    pub(crate) file: &'static str,
    pub(crate) change: FileChange,
}
