//! `ETag`, `If-Match` and `If-None-Match`: acting only on what one has seen, and not reading it
//! again.

use crate::ApiError;
use actix_web::dev::Payload;
use actix_web::http::header::{self, ETag, EntityTag, Header, IfNoneMatch};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};
use northgate_domain::{Alert, Revision, Stamped};
use std::future::{Ready, ready};
use utoipa::IntoParams;

/// The revision that a request is for, if it names one.
pub(crate) struct IfMatch(pub(crate) Option<Revision>);

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut tags = request.headers().get_all(header::IF_MATCH);
        ready(match (tags.next().map(|tag| tag.to_str().unwrap_or_default().trim()), tags.next()) {
            // Any revision will do: one that is there, and the rules ask for that anyway.
            (None | Some("*"), None) => Ok(Self(None)),
            (Some(tag), None) => {
                revision_of(tag).map(|tag| Self(Some(tag))).ok_or(ApiError::IfMatch)
            }
            (_, Some(_)) => Err(ApiError::IfMatch),
        })
    }
}

/// The revision in a strong entity tag (RFC 9110 section 8.8.3). A weak one matches nothing here.
fn revision_of(tag: &str) -> Option<Revision> {
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    digits.parse().ok().map(Revision::new)
}

/// The entity tag of an alert: its revision.
fn etag(alert: &Alert) -> EntityTag {
    EntityTag::new_strong(alert.revision.get().to_string())
}

/// An answer with one alert.
pub(crate) fn alert_answer(alert: &Stamped<Alert>) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header(ETag(etag(&alert.value)));
    response
}

/// The answer to who has seen the alert as it stands already, if `request` says so.
pub(crate) fn not_modified(request: &HttpRequest, alert: &Stamped<Alert>) -> Option<HttpResponse> {
    let etag = etag(&alert.value);
    let seen = match IfNoneMatch::parse(request).ok()? {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => tags.iter().any(|tag| tag.weak_eq(&etag)),
    };
    seen.then(|| HttpResponse::NotModified().insert_header(ETag(etag)).finish())
}

/// `If-Match` as the documentation shows it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the header, which is read by its name")]
pub(crate) struct IfMatchHeader {
    /// The `ETag` of the alert as you saw it: only if nothing has happened to it since then.
    #[param(rename = "If-Match", example = "\"3\"")]
    if_match: Option<String>,
}

/// `If-None-Match` as the documentation shows it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the header, which is read by its name")]
pub(crate) struct IfNoneMatchHeader {
    /// The `ETag` of the alert as you saw it: the alert comes only if something has happened to it
    /// since then.
    #[param(rename = "If-None-Match", example = "\"3\"")]
    if_none_match: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_a_number_in_quotes() {
        assert_eq!(revision_of("\"12\""), Some(Revision::new(12)));
        for tag in ["", "12", "\"\"", "\"x\"", "W/\"12\"", "\"1\", \"2\"", "\"-1\"", "\"", "'1'"] {
            assert_eq!(revision_of(tag), None, "{tag}");
        }
    }
}
