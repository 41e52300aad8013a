//! Whether a store can append, and why not: for probes and log lines.

use std::fmt;

/// Whether a store can keep what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreHealth {
    /// It can.
    Keeping,
    /// The disk has no room left.
    DiskFull,
    /// The configured number of bytes is used up by alerts that are not resolved.
    OnlyOpenAlertsLeft,
    /// A file of the store is not the one that was opened.
    FileChanged {
        /// Its name in the data folder.
        file: &'static str,
        /// What happened to it.
        change: FileChange,
    },
    /// The last attempt to write failed for another reason, which is in the log.
    Failing,
}

/// What happened to a file behind the store's back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileChange {
    /// It was moved or deleted.
    Gone,
    /// Another file has its name.
    Replaced,
    /// It is shorter than it was.
    Truncated,
    /// It cannot be looked at.
    Unreachable,
}

impl fmt::Display for FileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "was moved or deleted",
            Self::Replaced => "was replaced by another file",
            Self::Truncated => "was truncated",
            Self::Unreachable => "cannot be reached",
        })
    }
}

impl fmt::Display for StoreHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keeping => f.write_str("the store keeps events"),
            Self::DiskFull => f.write_str("the disk of the data folder is full"),
            Self::OnlyOpenAlertsLeft => {
                f.write_str("--retain-bytes is used up by alerts that are not resolved")
            }
            Self::FileChanged { file, change } => write!(f, "{file} in the data folder {change}"),
            Self::Failing => f.write_str("the store cannot write; the log says why"),
        }
    }
}

/// A file of the store that is not what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{file} {change}")]
pub(crate) struct ChangedFile {
    /// Its name in the folder.
    pub(crate) file: &'static str,
    pub(crate) change: FileChange,
}
