//! Why a request is refused before there is one.

/// What is wrong with the head of a request, or with how it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// It is not HTTP/1.1 as RFC 9112 has it.
    #[error("The request is not HTTP as RFC 9112 has it: {0}.")]
    Malformed(&'static str),
    /// It begins like TLS.
    #[error(
        "This looks like TLS, and the server speaks plain HTTP here: use http://, or a proxy that \
         ends TLS."
    )]
    Tls,
    /// It asks for a tunnel.
    #[error("There are no tunnels here.")]
    Tunnel,
    /// It is of another major version.
    #[error("Only HTTP/1.1 and HTTP/1.0 are spoken here.")]
    Version,
    /// Nothing says where its body ends.
    #[error("Over HTTP/1.0 a POST needs a Content-Length.")]
    LengthRequired,
    /// Its address is too long.
    #[error("The address is longer than the {limit} bytes that are taken.")]
    TargetTooLong {
        /// The most bytes that are taken.
        limit: usize,
    },
    /// It has too many headers.
    #[error("The request has more than the {limit} headers that are taken.")]
    TooManyHeaders {
        /// The most headers that are taken.
        limit: usize,
    },
    /// It is too large.
    #[error("The head of the request is larger than the {limit} bytes that are taken.")]
    TooLarge {
        /// The most bytes that are taken.
        limit: usize,
    },
    /// It did not come in time.
    #[error("The head of the request came too slowly.")]
    TooSlow,
    /// All large heads together take as much memory as they may.
    #[error("The server reads as many large requests as it may. Try again later.")]
    NoRoom,
}
