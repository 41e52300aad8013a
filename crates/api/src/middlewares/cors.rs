//! CORS: the pages that may read answers.

use super::OriginPolicy;
use super::origins::host_of;
use crate::idempotency::IDEMPOTENT_REPLAYED;
use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::http::header::{ETAG, HeaderName};

/// Permissions of pages of allowed origins.
#[derive(Debug, Clone)]
pub struct CorsSettings {
    /// Allowed methods; `None` means all.
    pub methods: Option<Vec<Method>>,
    /// Allowed request headers; `None` means all.
    pub headers: Option<Vec<HeaderName>>,
    /// Whether requests may contain credentials, for example cookies.
    pub credentials: bool,
}

/// Answers preflights, and permits pages of the origins that `policy` allows to read answers. The
/// answer names the allowed origin, never `*`.
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
