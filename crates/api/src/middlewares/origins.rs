//! Refuses pages of foreign origins. Browsers do not apply CORS to WebSockets or to simple requests
//! that change something, so the server must check `Origin` itself.

use super::names::{Authority, is_loopback, parse_all};
use crate::ApiError;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderValue};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpRequest, web};
use std::future::{Ready, ready};
use std::net::SocketAddr;

/// The origins whose pages may use the server.
#[derive(Debug, Clone)]
pub struct OriginPolicy {
    /// Whether every origin is allowed, including `null`.
    any: bool,
    /// Allowed origins, compared as exact texts.
    listed: Vec<String>,
    bound: SocketAddr,
    public: Vec<Authority>,
}

impl OriginPolicy {
    /// Allows these origins:
    /// - the pages of the server itself, under every host name that it accepts;
    /// - the literal `bound` address;
    /// - pages of all loopback names, if `bound` is a loopback address;
    /// - pages of all `public_hosts`, with the scheme `http` or `https`;
    /// - the `listed` origins, where `*` means all.
    pub fn new(bound: SocketAddr, public_hosts: &[String], listed: &[String]) -> Self {
        let any = listed.iter().any(|origin| origin == "*");
        Self { any, listed: listed.to_vec(), bound, public: parse_all(public_hosts) }
    }

    /// Whether pages of `origin`, a value of the `Origin` header, may use the server. `host` is the
    /// host that the request is for.
    pub fn allows(&self, origin: &str, host: Option<&str>) -> bool {
        if self.any || self.listed.iter().any(|listed| listed == origin) {
            return true;
        }
        let (authority, default_port) = match origin.split_once("://") {
            Some(("http", authority)) => (authority, 80),
            Some(("https", authority)) => (authority, 443),
            _ => return false,
        };
        let Some(page) = Authority::parse(authority) else { return false };
        let port = page.port.unwrap_or(default_port);
        // `host` is a name of this server, because `refuse_foreign_hosts` has checked it. Behind a
        // proxy that terminates TLS, the scheme is unknown here, so an absent port can mean 80 or
        // 443.
        let is_own = host.and_then(Authority::parse).is_some_and(|asked| {
            asked.host == page.host && asked.port.unwrap_or(default_port) == port
        });
        let is_bound = page.address() == Some(self.bound.ip()) && port == self.bound.port();
        is_own
            || is_bound
            || (is_loopback(self.bound.ip()) && page.is_loopback())
            || self.public.iter().any(|public| page.is_covered_by(public))
    }
}

/// Answers 403 to pages of foreign origins that try to open a WebSocket or to change something. The
/// policy is application data. A request without `Origin` does not come from a page.
pub async fn refuse_foreign_origins(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody + 'static>, Error> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let guarded = !reads || request.headers().contains_key(header::UPGRADE);
    if guarded && is_foreign(request.request()) {
        return Ok(request.error_response(ApiError::ForeignOrigin).map_into_right_body());
    }
    Ok(next.call(request).await?.map_into_left_body())
}

/// Proof that a request comes from an allowed page or from no page. A handler that only reads takes
/// this argument if foreign pages must not receive its answers.
pub(crate) struct AllowedOrigin;

impl FromRequest for AllowedOrigin {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let refused = is_foreign(request) || is_cross_site(request);
        ready(if refused { Err(ApiError::ForeignOrigin) } else { Ok(Self) })
    }
}

/// Whether a page of another site sent the request without an allowed `Origin`. When a page loads
/// an image or a script, browsers send `Sec-Fetch-Site` but no `Origin`.
pub(crate) fn is_cross_site(request: &HttpRequest) -> bool {
    let site = request.headers().get("sec-fetch-site").map(HeaderValue::as_bytes);
    let is_known = request.headers().contains_key(header::ORIGIN) && !is_foreign(request);
    site == Some(b"cross-site") && !is_known
}

fn is_foreign(request: &HttpRequest) -> bool {
    let policy = request.app_data::<web::Data<OriginPolicy>>();
    // Without a policy every page is refused, so that a missing setting does not disable the check.
    let host = host_of(request.headers());
    let allowed = |origin: &str| policy.is_some_and(|policy| policy.allows(origin, host));
    let mut origins = request.headers().get_all(header::ORIGIN);
    origins.any(|origin| !origin.to_str().is_ok_and(allowed))
}

/// Returns the value of the `Host` header.
pub(super) fn host_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST).and_then(|host| host.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(bound: &str, public: &[&str], listed: &[&str]) -> OriginPolicy {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        OriginPolicy::new(bound.parse().unwrap(), &owned(public), &owned(listed))
    }

    #[test]
    fn a_server_on_loopback_allows_every_loopback_page() {
        let policy = policy("127.0.0.1:8000", &[], &[]);
        for origin in ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:5173"] {
            assert!(policy.allows(origin, None), "{origin}");
        }
        for origin in ["null", "http://evil.test", "file://", "http://localhost.evil.test", ""] {
            assert!(!policy.allows(origin, None), "{origin}");
        }
    }

    #[test]
    fn a_server_on_a_public_address_allows_only_configured_origins() {
        let policy = policy("192.0.2.7:8000", &["alerts.example.com"], &["https://board.test"]);
        for origin in [
            "http://192.0.2.7:8000",
            "https://alerts.example.com",
            "http://alerts.example.com:8080",
            "https://board.test",
        ] {
            assert!(policy.allows(origin, None), "{origin}");
        }
        for origin in [
            "http://192.0.2.7",
            "http://localhost:8000",
            "https://board.test:1",
            "null",
            "http://x",
        ] {
            assert!(!policy.allows(origin, None), "{origin}");
        }
    }

    #[test]
    fn a_page_of_the_server_itself_is_allowed_under_every_host_name() {
        let policy = policy("0.0.0.0:8000", &[], &[]);
        for (origin, host) in [
            ("http://192.0.2.7:8000", "192.0.2.7:8000"),
            ("http://localhost:8000", "localhost:8000"),
            ("http://192.0.2.7", "192.0.2.7:80"),
            ("https://192.0.2.7", "192.0.2.7"),
            ("http://[2001:db8::7]:8000", "[2001:db8::7]:8000"),
        ] {
            assert!(policy.allows(origin, Some(host)), "{origin} {host}");
        }
        for (origin, host) in [
            ("http://192.0.2.7:8001", "192.0.2.7:8000"),
            ("http://192.0.2.8:8000", "192.0.2.7:8000"),
            ("http://192.0.2.7", "192.0.2.7:8000"),
            ("null", "null"),
            ("http://localhost:3000", "localhost:8000"),
        ] {
            assert!(!policy.allows(origin, Some(host)), "{origin} {host}");
        }
    }

    #[test]
    fn a_star_allows_every_origin() {
        let policy = policy("127.0.0.1:8000", &[], &["*"]);
        assert!(policy.allows("null", None));
        assert!(policy.allows("http://evil.test", None));
    }
}
