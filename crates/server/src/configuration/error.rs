//! The error of reading the settings.

/// Error of reading the settings. Its text is one line and names the setting.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The command line is invalid.
    #[error("{0} (see northgate --help)")]
    Arguments(String),
    /// A file or an environment variable contains something that is not a valid setting.
    #[error("{place}: {reason}")]
    Setting {
        /// The file with the line or key in it, or the variable.
        place: String,
        /// Description of the problem.
        reason: String,
    },
}

/// Joins `text` into one line with single spaces.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
