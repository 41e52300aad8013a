//! Refuses pages of foreign origins. Browsers do not apply CORS to WebSockets, nor to simple
//! requests that change something, so the server must look at `Origin` itself.

use super::names::{Authority, is_loopback, parse_all};
use crate::ApiError;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderValue;
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpRequest, web};
use std::future::{Ready, ready};
use std::net::SocketAddr;

/// Which origins' pages may use the server.
#[derive(Debug, Clone)]
pub struct OriginPolicy {
    /// Every origin, `null` included.
    any: bool,
    /// Origins given word for word.
    listed: Vec<String>,
    bound: SocketAddr,
    public: Vec<Authority>,
}

impl OriginPolicy {
    /// Allows the literal `bound` address; while that is a loopback address, any page from a
    /// loopback name; every one of `public_hosts` with either scheme; and `listed` origins, of
    /// which `*` means all.
    pub fn new(bound: SocketAddr, public_hosts: &[String], listed: &[String]) -> Self {
        let any = listed.iter().any(|origin| origin == "*");
        Self { any, listed: listed.to_vec(), bound, public: parse_all(public_hosts) }
    }

    /// Whether pages of `origin`, as it stands in the header, may use the server.
    pub fn allows(&self, origin: &str) -> bool {
        if self.any || self.listed.iter().any(|listed| listed == origin) {
            return true;
        }
        let (authority, default_port) = match origin.split_once("://") {
            Some(("http", authority)) => (authority, 80),
            Some(("https", authority)) => (authority, 443),
            _ => return false,
        };
        let Some(host) = Authority::parse(authority) else { return false };
        let is_bound = host.address() == Some(self.bound.ip())
            && host.port.unwrap_or(default_port) == self.bound.port();
        is_bound
            || (is_loopback(self.bound.ip()) && host.is_loopback())
            || self.public.iter().any(|public| host.is_covered_by(public))
    }
}

/// Answers 403 to foreign pages (by the policy in the application data) that want to open a
/// WebSocket or to change something. Requests without `Origin` come from no page.
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

/// Says that a request came from no page, or from one that may use the server: for addresses that
/// only read, and whose answers no foreign page is to have.
pub(crate) struct AtHome;

impl FromRequest for AtHome {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let refused = is_foreign(request) || is_cross_site(request);
        ready(if refused { Err(ApiError::ForeignOrigin) } else { Ok(Self) })
    }
}

/// Whether a page of another site sent the request, without an `Origin` that may use the server.
/// Browsers add `Sec-Fetch-Site` to what a page loads by an image or a script, too, where there is
/// no `Origin`.
pub(crate) fn is_cross_site(request: &HttpRequest) -> bool {
    let site = request.headers().get("sec-fetch-site").map(HeaderValue::as_bytes);
    let is_known = request.headers().contains_key(header::ORIGIN) && !is_foreign(request);
    site == Some(b"cross-site") && !is_known
}

fn is_foreign(request: &HttpRequest) -> bool {
    let policy = request.app_data::<web::Data<OriginPolicy>>();
    // Without a policy no page is allowed: the guard must not vanish with its settings.
    let allowed = |origin: &str| policy.is_some_and(|policy| policy.allows(origin));
    let mut origins = request.headers().get_all(header::ORIGIN);
    origins.any(|origin| !origin.to_str().is_ok_and(allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(bound: &str, public: &[&str], listed: &[&str]) -> OriginPolicy {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        OriginPolicy::new(bound.parse().unwrap(), &owned(public), &owned(listed))
    }

    #[test]
    fn on_loopback_every_loopback_page_is_at_home() {
        let policy = policy("127.0.0.1:8000", &[], &[]);
        for origin in ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:5173"] {
            assert!(policy.allows(origin), "{origin}");
        }
        for origin in ["null", "http://evil.test", "file://", "http://localhost.evil.test", ""] {
            assert!(!policy.allows(origin), "{origin}");
        }
    }

    #[test]
    fn bound_to_the_world_only_what_was_named_is_at_home() {
        let policy = policy("192.0.2.7:8000", &["alerts.example.com"], &["https://board.test"]);
        for origin in [
            "http://192.0.2.7:8000",
            "https://alerts.example.com",
            "http://alerts.example.com:8080",
            "https://board.test",
        ] {
            assert!(policy.allows(origin), "{origin}");
        }
        for origin in [
            "http://192.0.2.7",
            "http://localhost:8000",
            "https://board.test:1",
            "null",
            "http://x",
        ] {
            assert!(!policy.allows(origin), "{origin}");
        }
    }

    #[test]
    fn a_star_means_all() {
        let policy = policy("127.0.0.1:8000", &[], &["*"]);
        assert!(policy.allows("null"));
        assert!(policy.allows("http://evil.test"));
    }
}
