//! Builds the answer to a request whose head is refused. Such a request reaches no handler and no
//! middleware.

use crate::middlewares::SECURITY_HEADERS;
use crate::{ApiError, HeadError};
use actix_web::ResponseError;
use actix_web::body::MessageBody;
use northgate_domain::Timestamp;
use std::io::Write;

/// Returns a complete answer as bytes. The caller must close the connection after sending the
/// answer. `now` is the value of the answer's `Date` header.
pub fn answer_to_bad_head(error: HeadError, now: Timestamp) -> Vec<u8> {
    tracing::debug!(%error, "the head of a request was refused");
    let answer = ApiError::Head(error).error_response();
    let (answer, body) = answer.into_parts();
    // The body of a problem is in memory, so reading the bytes cannot fail.
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

/// Formats a timestamp for a header (RFC 9110 section 5.6.7).
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
    fn a_refusal_is_a_complete_answer_with_a_problem() {
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
