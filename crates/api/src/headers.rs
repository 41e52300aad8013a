//! What can be wrong with a request's headers, and the values of headers that tell what is taken.

use northgate_services::RequestKeyError;

/// The methods that some address takes.
pub(crate) const ALL_METHODS: &str = "GET, HEAD, POST, OPTIONS";

/// The codings of a body that are taken, as the header `Accept-Encoding` tells them.
pub(crate) const ACCEPTED_CODINGS: &str = "gzip, deflate, zstd";

/// What is wrong with the key of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// It is none.
    #[error(transparent)]
    Invalid(#[from] RequestKeyError),
    /// There are two, and nobody can say which one counts.
    #[error("must be sent once only")]
    Repeated,
    /// The address knows no keys, and who sends one must not believe that it does.
    #[error("is not taken here; leave it out, or act on each alert with a key of its own")]
    Unwanted,
}

/// What is wrong with the `If-Match` of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadIfMatch {
    /// It cannot be read.
    #[error("must be an ETag of the alert, such as \"3\", or a list of them, or *")]
    Invalid,
    /// The address is not that of one alert, and who sends it must not believe that it was minded.
    #[error("is not taken here; leave it out, or act on each alert with its own ETag")]
    Unwanted,
}
