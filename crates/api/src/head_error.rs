//! The reasons why a request head is refused.

/// Reason why a request head is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// The head is not valid HTTP/1.1 (RFC 9112).
    #[error("The request is not valid HTTP/1.1 (RFC 9112): {0}.")]
    Malformed(&'static str),
    /// The first bytes look like TLS.
    #[error(
        "The request looks like TLS, but this port accepts only plain HTTP. Use http://, or a \
         proxy that terminates TLS."
    )]
    Tls,
    /// The method is `CONNECT`.
    #[error("The method CONNECT is not supported.")]
    Tunnel,
    /// The major version of HTTP is not 1.
    #[error("The HTTP version is not supported. Use HTTP/1.1 or HTTP/1.0.")]
    Version,
    /// No header states the length of the body.
    #[error("A POST over HTTP/1.0 needs a Content-Length.")]
    LengthRequired,
    #[error("The address is too long: at most {limit} bytes are accepted.")]
    TargetTooLong {
        /// Upper bound in bytes.
        limit: usize,
    },
    #[error("The request has too many headers: at most {limit} are accepted.")]
    TooManyHeaders {
        /// Upper bound of headers.
        limit: usize,
    },
    #[error("The request head is too large: at most {limit} bytes are accepted.")]
    TooLarge {
        /// Upper bound in bytes.
        limit: usize,
    },
    #[error("The request head did not arrive in time.")]
    TooSlow,
    /// The memory budget of large request heads is used up.
    #[error("The memory for large request heads is used up. Try again later.")]
    NoRoom,
}
