//! Parsing of a request head (RFC 9112) before the HTTP library reads it, without I/O.
//!
//! This module determines the framing of the bytes after the head, removes headers that the library
//! must not see, and refuses invalid heads. The library would answer an invalid head with an empty
//! 400. So this module refuses every head that the library would refuse, and states a reason.

use super::framing::{Chunked, Framing};
use actix_web::http::Uri;
use httparse::{EMPTY_HEADER, Error, Header, Request, Status};
use northgate_api::HeadError;

/// Upper bound of bytes of a head. The HTTP library has the same bound.
pub(super) const MAX_HEAD_BYTES: usize = 128 * 1024;
/// Upper bound of headers of a head. The HTTP library has the same bound.
const MAX_HEADERS: usize = 96;
/// Upper bound of bytes of a header name. The HTTP library panics at 64 KiB.
const MAX_NAME_BYTES: usize = 1024;
/// Upper bound of bytes of a request target. The HTTP library's `Uri` type accepts no more.
const MAX_TARGET_BYTES: usize = u16::MAX as usize - 1;

/// The properties of a complete head that the stream needs.
#[derive(Debug)]
pub(super) struct Head {
    /// Framing of the bytes after the head.
    pub(super) framing: Framing,
    /// Whether the client waits for `100 Continue` before it sends its body.
    pub(super) awaits_continue: bool,
    /// Whether the request is the last one on its connection (RFC 9112 section 9.3).
    pub(super) is_last: bool,
    /// The bytes for the HTTP library, if they differ from the received bytes.
    pub(super) rewritten: Option<Vec<u8>>,
}

/// Returns the end of the first empty line at `from` or later.
pub(super) fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.iter().enumerate().filter(|(_, byte)| **byte == b'\n').find_map(|(at, _)| {
        match rest.get(at + 1..)? {
            [b'\n', ..] => Some(from + at + 2),
            [b'\r', b'\n', ..] => Some(from + at + 3),
            _ => None,
        }
    })
}

/// Checks that a request can begin with `bytes`. Bytes of another protocol are refused immediately,
/// since such a client may never send the end of a head.
pub(super) fn check_beginning(bytes: &[u8]) -> Result<(), HeadError> {
    if bytes.starts_with(&[0x16, 0x03]) {
        return Err(HeadError::Tls);
    }
    let method = bytes.iter().take(32).take_while(|byte| **byte != b' ');
    if method.into_iter().all(u8::is_ascii_graphic) {
        Ok(())
    } else {
        Err(HeadError::Malformed("the request line is invalid"))
    }
}

impl Head {
    /// Parses a complete head, its empty line included.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, HeadError> {
        let mut headers = [EMPTY_HEADER; MAX_HEADERS];
        let mut request = Request::new(&mut headers);
        match request.parse(bytes) {
            Ok(Status::Complete(_)) => {}
            Ok(Status::Partial) => return Err(HeadError::Malformed("the head is incomplete")),
            Err(error) => return Err(refusal(error)),
        }
        let (Some(method), Some(target), Some(version)) =
            (request.method, request.path, request.version)
        else {
            return Err(HeadError::Malformed("the request line is invalid"));
        };
        if method == "CONNECT" {
            return Err(HeadError::Tunnel);
        }
        let encoded = checked_target(target)?;
        let is_1_1 = version == 1;
        let said = DeclaredHeaders::of(request.headers, is_1_1)?;
        let framing = said.framing(method, is_1_1)?;
        let drops_upgrade = said.offers_upgrade && !(method == "GET" && said.to_socket);
        let rewritten = (encoded.is_some() || drops_upgrade || said.expects).then(|| {
            let target = encoded.as_deref().unwrap_or(target);
            rewrite(method, target, version, request.headers, drops_upgrade)
        });
        let has_body = !matches!(framing, Framing::Body(0) | Framing::Opaque);
        let awaits_continue = said.expects && is_1_1 && has_body;
        let is_last = said.closes || !(is_1_1 || said.keeps_alive);
        Ok(Self { framing, awaits_continue, is_last, rewritten })
    }
}

/// Maps an error of the parser to the reason of the refusal.
fn refusal(error: Error) -> HeadError {
    match error {
        Error::TooManyHeaders => HeadError::TooManyHeaders { limit: MAX_HEADERS },
        Error::Version => HeadError::Version,
        Error::HeaderName => HeadError::Malformed("the name of a header has an invalid character"),
        Error::HeaderValue => HeadError::Malformed("the value of a header has a control character"),
        Error::NewLine => HeadError::Malformed("a line has an invalid line break"),
        Error::Status | Error::Token => HeadError::Malformed("the request line is invalid"),
    }
}

/// Returns the request target with its invalid bytes percent-encoded, or `None` if all bytes are
/// valid. Browsers encode these bytes, but scripts often do not.
fn checked_target(target: &str) -> Result<Option<String>, HeadError> {
    let is_plain = |byte: u8| match byte {
        b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
        byte => byte.is_ascii_graphic(),
    };
    let encoded = (!target.bytes().all(is_plain)).then(|| {
        let mut encoded = String::with_capacity(target.len() * 3);
        for byte in target.bytes() {
            if is_plain(byte) {
                encoded.push(char::from(byte));
            } else {
                const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().map(char::from);
                encoded.push('%');
                encoded.extend(digit(byte >> 4));
                encoded.extend(digit(byte & 15));
            }
        }
        encoded
    });
    let shown = encoded.as_deref().unwrap_or(target);
    if shown.len() > MAX_TARGET_BYTES {
        return Err(HeadError::TargetTooLong { limit: MAX_TARGET_BYTES });
    }
    // Nearly every target is a path, which needs no further check.
    if !shown.starts_with('/') && shown.parse::<Uri>().is_err() {
        return Err(HeadError::Malformed("the address in the request line is invalid"));
    }
    Ok(encoded)
}

/// The headers that determine the framing of the request, the protocol, and the end of the
/// connection.
#[expect(clippy::struct_excessive_bools, reason = "the headers of a head are independent")]
#[derive(Default)]
struct DeclaredHeaders {
    hosts: usize,
    length: Option<u64>,
    is_chunked: bool,
    offers_upgrade: bool,
    /// Whether `Upgrade` lists WebSocket.
    to_socket: bool,
    /// Whether the value of `Upgrade` is exactly `websocket`. In that case the HTTP library treats
    /// the bytes after the head as WebSocket.
    is_socket: bool,
    expects: bool,
    closes: bool,
    keeps_alive: bool,
}

impl DeclaredHeaders {
    fn of(headers: &[Header<'_>], is_1_1: bool) -> Result<Self, HeadError> {
        let mut said = Self::default();
        let mut encodings = 0;
        for Header { name, value } in headers {
            let value = value.trim_ascii();
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            if name.len() > MAX_NAME_BYTES {
                return Err(HeadError::Malformed("the name of a header is too long"));
            }
            if is("host") {
                said.hosts += 1;
            } else if is("connection") {
                said.closes |= has_token(value, b"close");
                said.keeps_alive |= has_token(value, b"keep-alive");
            } else if is("content-length") {
                let parsed = str::from_utf8(value).ok().filter(|text| !text.starts_with('+'));
                let Some(length) = parsed.and_then(|text| text.parse().ok()) else {
                    return Err(HeadError::Malformed("Content-Length is not a number"));
                };
                if said.length.replace(length).is_some() {
                    return Err(HeadError::Malformed("there are two Content-Length headers"));
                }
            } else if is("transfer-encoding") {
                encodings += 1;
                said.is_chunked = value.eq_ignore_ascii_case(b"chunked");
            } else if is("upgrade") {
                said.offers_upgrade = true;
                said.to_socket |= has_token(value, b"websocket");
                said.is_socket |= value.eq_ignore_ascii_case(b"websocket");
            } else if is("expect") {
                said.expects |= has_token(value, b"100-continue");
            }
        }
        let transfer_encoding_is_odd =
            encodings > 1 || (encodings == 1 && !(said.is_chunked && is_1_1));
        if transfer_encoding_is_odd {
            return Err(HeadError::Malformed(
                "Transfer-Encoding is allowed only once, as chunked, and in HTTP/1.1",
            ));
        }
        if said.is_chunked && said.length.is_some() {
            return Err(HeadError::Malformed(
                "the head has both Transfer-Encoding and Content-Length",
            ));
        }
        match said.hosts {
            0 if is_1_1 => Err(HeadError::Malformed("there is no Host header")),
            0 | 1 => Ok(said),
            _ => Err(HeadError::Malformed("there are two Host headers")),
        }
    }

    /// Returns the framing of the bytes after the head.
    fn framing(&self, method: &str, is_1_1: bool) -> Result<Framing, HeadError> {
        if method == "GET" && self.is_socket && !self.is_chunked {
            return Ok(Framing::Opaque);
        }
        if self.is_chunked {
            return Ok(Framing::Chunked(Chunked::new()));
        }
        if !is_1_1 && method == "POST" && self.length.is_none() {
            return Err(HeadError::LengthRequired);
        }
        Ok(Framing::Body(self.length.unwrap_or(0)))
    }
}

/// Returns whether a comma-separated list contains `token`.
fn has_token(list: &[u8], token: &[u8]) -> bool {
    list.split(|byte| *byte == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(token))
}

/// Rebuilds the head without the headers that the HTTP library must not see. The stream itself
/// handles `Expect`, when the app reads the body. `Upgrade` to another protocol than WebSocket is
/// ignored (RFC 9110 section 7.8).
fn rewrite(
    method: &str,
    target: &str,
    version: u8,
    headers: &[Header<'_>],
    drops_upgrade: bool,
) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.{version}\r\n").into_bytes();
    for Header { name, value } in headers {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("expect") || (drops_upgrade && (is("upgrade") || is("http2-settings"))) {
            continue;
        }
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        if drops_upgrade && is("connection") {
            let options = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            let is_kept = |option: &&[u8]| {
                !has_token(option, b"upgrade") && !has_token(option, b"http2-settings")
            };
            head.extend_from_slice(&options.filter(is_kept).collect::<Vec<_>>().join(&b", "[..]));
        } else {
            head.extend_from_slice(value);
        }
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_http::ServiceConfig;
    use actix_http::h1::Codec;
    use actix_web::rt::Runtime;
    use actix_web::web::BytesMut;
    use proptest::prelude::*;
    use tokio_util::codec::Decoder;

    fn head(text: &str) -> Head {
        Head::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error:?}"))
    }

    fn rewritten(text: &str) -> String {
        String::from_utf8(head(text).rewritten.unwrap()).unwrap()
    }

    /// Returns whether the HTTP library accepts a head.
    fn is_taken(bytes: &[u8]) -> bool {
        Runtime::new().unwrap().block_on(async {
            let mut codec = Codec::new(ServiceConfig::default());
            matches!(codec.decode(&mut BytesMut::from(bytes)), Ok(Some(_)))
        })
    }

    #[test]
    fn a_rejected_upgrade_is_removed_from_the_head() {
        let java = "POST /alerts HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHost: a\r\n\
            HTTP2-Settings: AAEA\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\n\r\n";
        assert_eq!(
            rewritten(java),
            "POST /alerts HTTP/1.1\r\nConnection: \r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        assert!(matches!(head(java).framing, Framing::Chunked(_)));
        let closing =
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, upgrade\r\nUpgrade: h2c\r\n\r\n";
        assert!(rewritten(closing).contains("Connection: close\r\n"));
        let post = "POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\n";
        assert!(matches!(head(post).framing, Framing::Body(2)));
        let socket = head("GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\n\r\n");
        assert!(socket.rewritten.is_none());
        assert!(matches!(socket.framing, Framing::Opaque));
    }

    #[test]
    fn expect_is_removed_and_awaits_continue_only_with_a_body() {
        let expecting = |rest: &str| {
            format!("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n{rest}\r\n")
        };
        let with_body = expecting("Content-Length: 3\r\n");
        assert!(head(&with_body).awaits_continue);
        assert!(!rewritten(&with_body).to_lowercase().contains("expect"));
        assert!(!head(&expecting("")).awaits_continue);
        assert!(!head(&with_body.replace("/1.1", "/1.0")).awaits_continue);
    }

    #[test]
    fn invalid_bytes_in_an_address_are_percent_encoded() {
        let line = |text: &str| rewritten(text).lines().next().unwrap().to_owned();
        assert_eq!(
            line("GET /\u{fc}?q=\"a|b\" HTTP/1.1\r\nHost: a\r\n\r\n"),
            "GET /%C3%BC?q=%22a%7Cb%22 HTTP/1.1"
        );
        assert!(
            head("GET /%C3%BC?a=b&c[]=d%20e+f#g HTTP/1.1\r\nHost: a\r\n\r\n").rewritten.is_none()
        );
        for target in ["*", "http://example.com/alerts?x=1"] {
            head(&format!("OPTIONS {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        }
    }

    #[test]
    fn an_invalid_request_is_refused_with_a_reason() {
        let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(70_000));
        let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(96));
        for (bytes, slug) in [
            ("PRI * HTTP/2.0\r\n\r\n", "Version"),
            ("GET / HTTP/1.1\r\n\r\n", "no Host"),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "two Host"),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", "not a number"),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "two"),
            ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "chunked"),
            ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "chunked"),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
                "both",
            ),
            ("POST / HTTP/1.0\r\n\r\n", "LengthRequired"),
            ("GET / HTTP/1.1\r\nHost: a\r\nX y: z\r\n\r\n", "name of a header"),
            ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "Tunnel"),
            ("GET http://[/ HTTP/1.1\r\nHost: a\r\n\r\n", "address"),
            ("G\u{fc}T / HTTP/1.1\r\nHost: a\r\n\r\n", "request line"),
            (&long, "TargetTooLong"),
            (&many, "TooManyHeaders"),
        ] {
            let error = Head::parse(bytes.as_bytes()).map(|_| ()).unwrap_err();
            assert!(format!("{error:?}").contains(slug), "{bytes:.80?}: {error:?}");
            // The library accepts `CONNECT`; only this parser refuses it.
            assert_eq!(is_taken(bytes.as_bytes()), slug == "Tunnel", "{bytes:.80?}");
        }
    }

    #[test]
    fn other_protocols_are_recognized_by_their_first_bytes() {
        assert_eq!(check_beginning(&[0x16, 0x03, 0x01]), Err(HeadError::Tls));
        assert!(check_beginning(b"\0\x05").is_err());
        assert!(check_beginning(b"G\x80T").is_err());
        assert!(check_beginning(b"GET /\x80").is_ok());
        assert!(check_beginning(b"GE").is_ok());
    }

    proptest! {
        /// The HTTP library accepts every head that it receives, so it never answers on its own.
        #[test]
        fn the_library_accepts_every_head_that_it_receives(
            method in "GET|POST|OPTIONS|CONNECT|[A-Z!]{1,5}",
            target in "/[ -~]{0,12}|\\*|/[a-z\u{80}-\u{2ff}\"<>{}|^`]{0,8}|http://[a-z:0-9@\\[\\]/]{0,8}|[!-~]{1,6}",
            version in "HTTP/1\\.[012]|HTTP/2\\.0",
            headers in proptest::collection::vec(
                "(Host|Content-Length|Transfer-Encoding|Connection|Upgrade|Expect|X-Y): \
                (a|0|7|\\+1|chunked|identity|close|upgrade, close|websocket|h2c|100-continue|\u{fc}| |\t)",
                0..5,
            ),
        ) {
            let text = format!("{method} {target} {version}\r\nHost: a\r\n{}\r\n\r\n", headers.join("\r\n"));
            if let Ok(head) = Head::parse(text.as_bytes()) {
                let bytes = head.rewritten.unwrap_or_else(|| text.clone().into_bytes());
                prop_assert!(is_taken(&bytes), "{:?}", String::from_utf8_lossy(&bytes));
            }
        }

        #[test]
        fn arbitrary_bytes_cause_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Head::parse(&bytes);
            let _ = check_beginning(&bytes);
            let _ = end_of_head(&bytes, 0);
        }
    }
}
