//! Reads the body of a request: only JSON, only up to a limit, and only if the handler needs it.

use crate::ApiError;
use crate::content_coding::ContentCoding;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures_core::Stream;
use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::pin::Pin;

/// Upper bound of a request body in bytes, compressed and decompressed. The limit is application
/// data of every route that reads a body.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

/// The bytes of a body whose `Content-Type` is JSON or absent.
pub(crate) struct JsonBody(pub(crate) Bytes);

impl FromRequest for JsonBody {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        // Without a configured limit, only an empty body is accepted: a server must not read bodies
        // without a bound.
        let limit = request.app_data::<BodyLimit>().map_or(0, |limit| limit.0);
        let coding = coding(request, limit);
        let mut payload = payload.take();
        Box::pin(async move {
            let coding = coding?;
            let mut body = BytesMut::new();
            while let Some(chunk) = poll_fn(|cx| Pin::new(&mut payload).poll_next(cx)).await {
                let chunk = chunk.map_err(|error| match error {
                    PayloadError::Io(late) if late.kind() == ErrorKind::TimedOut => {
                        ApiError::SlowBody
                    }
                    _ => ApiError::BrokenBody,
                })?;
                if body.len() + chunk.len() > limit {
                    return Err(ApiError::BodyTooLarge { limit });
                }
                body.extend_from_slice(&chunk);
            }
            coding.decode(body.freeze(), limit).map(Self)
        })
    }
}

/// Returns the compression of the body, or an error if the headers alone are reason to refuse the
/// body.
fn coding(request: &HttpRequest, limit: usize) -> Result<ContentCoding, ApiError> {
    let headers = request.headers();
    let media_type = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
    if !media_type.is_none_or(is_json) {
        return Err(ApiError::MediaType);
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if length
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: u64| length > limit as u64)
    {
        return Err(ApiError::BodyTooLarge { limit });
    }
    ContentCoding::of(request)
}

/// Whether a media type is accepted: `application/json`, `application/…+json` or an empty text,
/// with any parameters. The Python service, which Northgate replaces, accepted the same media
/// types.
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = essence.strip_prefix("application/");
    essence.is_empty() || subtype.is_some_and(|name| name == "json" || name.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::is_json;

    #[test]
    fn several_media_types_are_accepted_as_json() {
        for name in [
            "",
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/json;",
            "application/vnd.x+json",
            "application/geo+json;x=y",
        ] {
            assert!(is_json(name), "{name:?}");
        }
        for name in [
            "text/plain",
            "text/json",
            "application/jsonx",
            "application/foo+jsonx",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "garbage",
        ] {
            assert!(!is_json(name), "{name:?}");
        }
    }
}
