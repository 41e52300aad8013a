//! Why there are no settings.

/// Why there are no settings; in one line, and naming the setting.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The command line is wrong.
    #[error("{0} (see northgate --help)")]
    Arguments(String),
    /// A file, or a variable of the environment, says something that is not a setting.
    #[error("{place}: {reason}")]
    Setting {
        /// The file or the variable, and the place in it.
        place: String,
        /// What is wrong there.
        reason: String,
    },
}

/// A text without its line breaks and runs of spaces.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
