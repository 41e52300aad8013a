//! CORS: which pages may read answers.

use super::OriginPolicy;
use super::origins::host_of;
use crate::idempotency::IDEMPOTENT_REPLAYED;
use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::http::header::{ETAG, HeaderName};

/// What pages of allowed origins may do.
#[derive(Debug, Clone)]
pub struct CorsSettings {
    /// Methods; `None` means all.
    pub methods: Option<Vec<Method>>,
    /// Request headers; `None` means all.
    pub headers: Option<Vec<HeaderName>>,
    /// Whether cookies and the like may be sent.
    pub credentials: bool,
}

/// Answers preflights, and lets pages of the origins that `policy` allows read answers. The
/// allowed origin is always named, never `*`.
pub fn cors(settings: &CorsSettings, policy: OriginPolicy) -> Cors {
    let mut cors = Cors::default()
        .allowed_origin_fn(move |origin, head| {
            let host = host_of(head.headers());
            origin.to_str().is_ok_and(|origin| policy.allows(origin, host))
        })
        .block_on_origin_mismatch(false)
        .expose_headers([IDEMPOTENT_REPLAYED, ETAG])
        .max_age(600);
    cors = match &settings.methods {
        Some(methods) => cors.allowed_methods(methods.clone()),
        None => cors.allow_any_method(),
    };
    cors = match &settings.headers {
        Some(headers) => cors.allowed_headers(headers.clone()),
        None => cors.allow_any_header(),
    };
    if settings.credentials { cors.supports_credentials() } else { cors }
}
