//! The request header `Idempotency-Key`, and the response header that marks a replay.

use crate::{ApiError, BadKey};
use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest, HttpResponseBuilder};
use northgate_services::RequestKey;
use std::future::{Ready, ready};
use utoipa::IntoParams;

/// Request header with the sender's key for a request. Requests with the same key are executed only
/// once.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The response header that is `true` on a replayed answer. CORS permits pages of other origins to
/// read this header.
pub(crate) const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The key of a request, if it has one.
pub(crate) struct KeyOfRequest(pub(crate) Option<RequestKey>);

impl FromRequest for KeyOfRequest {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut keys = request.headers().get_all(IDEMPOTENCY_KEY);
        let key = match (keys.next(), keys.next()) {
            (None, _) => Ok(Self(None)),
            (Some(key), None) => RequestKey::parse(key.as_bytes())
                .map(|key| Self(Some(key)))
                .map_err(|error| ApiError::IdempotencyKey(error.into())),
            (Some(_), Some(_)) => Err(ApiError::IdempotencyKey(BadKey::Repeated)),
        };
        ready(key)
    }
}

/// Refuses a request with a key: the address cannot ensure that the request is executed only once.
pub(crate) struct WithoutKey;

impl FromRequest for WithoutKey {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let has_key = request.headers().contains_key(IDEMPOTENCY_KEY);
        ready(if has_key { Err(ApiError::IdempotencyKey(BadKey::Unwanted)) } else { Ok(Self) })
    }
}

/// Adds the header that marks a replay, if the answer is one.
pub(crate) fn kept(mut response: HttpResponseBuilder, replayed: bool) -> HttpResponseBuilder {
    if replayed {
        response.insert_header((IDEMPOTENT_REPLAYED, "true"));
    }
    response
}

/// The header in the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the header, which is read by its name")]
pub(crate) struct IdempotencyKeyHeader {
    /// The client's name for this request: 1 to 255 visible ASCII characters, for example a UUID.
    /// If the same request is sent again with the same key, the server executes nothing and repeats
    /// the first answer with `Idempotent-Replayed: true`. The server remembers keys for 24 hours:
    /// the newest million on disk, 10,000 in memory. If `--retain-bytes` is used up, the server
    /// remembers keys for one hour.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    idempotency_key: Option<String>,
}
