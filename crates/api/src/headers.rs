//! Errors of request headers, and the values of headers that state what the server accepts.

use northgate_services::RequestKeyError;

/// All methods that at least one address accepts.
pub(crate) const ALL_METHODS: &str = "GET, HEAD, POST, OPTIONS";

/// The codings that a request body may have, as the value of `Accept-Encoding`.
pub(crate) const ACCEPTED_CODINGS: &str = "gzip, deflate, zstd";

/// Error of the header `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// The value is not a valid key.
    #[error(transparent)]
    Invalid(#[from] RequestKeyError),
    /// The header occurs more than once, so the key is ambiguous.
    #[error("must be sent only once")]
    Repeated,
    /// The address does not support keys. The request is refused, so that the sender does not rely
    /// on its key.
    #[error("is not accepted here; omit it, or send one request per alert, each with its own key")]
    Unwanted,
}

/// Error of the header `If-Match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadIfMatch {
    /// The value cannot be parsed.
    #[error("must be an ETag of the alert, for example \"3\", a list of ETags, or *")]
    Invalid,
    /// The address does not act on exactly one alert. The request is refused, so that the sender
    /// does not rely on the condition.
    #[error("is not accepted here; omit it, or send one request per alert, each with its own ETag")]
    Unwanted,
}
