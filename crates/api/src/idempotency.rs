//! The header `Idempotency-Key`, and the one that tells of a repeat.

use crate::{ApiError, BadKey};
use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest, HttpResponseBuilder};
use northgate_services::RequestKey;
use std::future::{Ready, ready};
use utoipa::IntoParams;

/// A sender's name for a request, so that sending it again changes nothing.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// `true` on an answer that was given before; pages of other origins may read it.
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

/// A request that has no key, because it could not keep what a key promises.
pub(crate) struct WithoutKey;

impl FromRequest for WithoutKey {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let has_key = request.headers().contains_key(IDEMPOTENCY_KEY);
        ready(if has_key { Err(ApiError::IdempotencyKey(BadKey::Unwanted)) } else { Ok(Self) })
    }
}

/// Says in an answer to what is kept whether it was given before.
pub(crate) fn kept(mut response: HttpResponseBuilder, replayed: bool) -> HttpResponseBuilder {
    if replayed {
        response.insert_header((IDEMPOTENT_REPLAYED, "true"));
    }
    response
}

/// The header as the documentation shows it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the header, which is read by its name")]
pub(crate) struct IdempotencyKeyHeader {
    /// Your name for this request: 1 to 255 visible ASCII characters, such as a UUID. The same
    /// request again under it gets the first answer with `Idempotent-Replayed: true`, and nothing
    /// happens a second time. Keys are remembered for 24 hours: the newest million on disk,
    /// 10,000 in memory. Where `--retain-bytes` is used up, an hour.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    idempotency_key: Option<String>,
}
