//! Why a request was refused before there was one, and the answer to it: no handler and no
//! middleware ever sees such a request.

use crate::ApiError;
use crate::middlewares::SECURITY_HEADERS;
use actix_web::ResponseError;
use actix_web::body::MessageBody;
use northgate_domain::Timestamp;
use std::io::Write;

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

/// A whole answer as bytes. The connection ends with it. `now` is for its date.
pub fn answer_to_bad_head(error: HeadError, now: Timestamp) -> Vec<u8> {
    tracing::debug!(%error, "the head of a request was refused");
    let answer = ApiError::Head(error).error_response();
    let (answer, body) = answer.into_parts();
    // The body of a problem is in memory: it cannot fail.
    let body = body.try_into_bytes().unwrap_or_default();
    let status = answer.status();
    let reason = status.canonical_reason().unwrap_or("Error");
    let mut bytes = Vec::with_capacity(1_024);
    // Writing to memory cannot fail.
    let _ = write!(bytes, "HTTP/1.1 {} {reason}\r\nconnection: close\r\n", status.as_u16());
    let _ = write!(bytes, "content-length: {}\r\ndate: {}\r\n", body.len(), fixdate(now));
    for (name, value) in answer.headers() {
        let _ = write!(bytes, "{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()));
    }
    for (name, value) in SECURITY_HEADERS {
        let _ = write!(bytes, "{name}: {value}\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes
}

/// A moment as headers have it (RFC 9110 section 5.6.7).
fn fixdate(moment: Timestamp) -> String {
    let utc = moment.to_utc();
    let short = |name: String| name.chars().take(3).collect::<String>();
    let (weekday, month) = (short(utc.weekday().to_string()), short(utc.month().to_string()));
    let (day, year, (hour, minute, second)) = (utc.day(), utc.year(), utc.to_hms());
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_whole_answer_with_a_problem() {
        let now = Timestamp::from_unix_micros(784_111_777_000_000);
        let bytes = answer_to_bad_head(HeadError::NoRoom, now);
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n"));
        for line in [
            &format!("content-length: {}", body.len()),
            "date: Sun, 06 Nov 1994 08:49:37 GMT",
            "content-type: application/problem+json",
            "retry-after: 1",
            "x-content-type-options: nosniff",
        ] {
            assert!(head.lines().any(|found| found == line), "{line}: {head}");
        }
        assert!(body.starts_with("{\"type\":\"urn:northgate:problem:busy\""), "{body}");
    }
}
