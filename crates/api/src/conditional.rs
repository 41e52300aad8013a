//! `ETag`, `If-Match` and `If-None-Match`: conditional actions on an alert and conditional reads of
//! an alert.

use crate::{ApiError, BadIfMatch};
use actix_web::dev::Payload;
use actix_web::http::header::{self, ETag, EntityTag, Header, IfNoneMatch};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};
use northgate_domain::{Alert, Positioned, Revision};
use std::future::{Ready, ready};
use utoipa::IntoParams;

/// The revisions in the `If-Match` of a request, if it has this header.
pub(crate) struct IfMatch(pub(crate) Option<Vec<Revision>>);

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        if !request.headers().contains_key(header::IF_MATCH) {
            return ready(Ok(Self(None)));
        }
        ready(match header::IfMatch::parse(request) {
            // `*` accepts any revision of an existing alert. The alert must exist in any case, so
            // there is nothing more to check.
            Ok(header::IfMatch::Any) => Ok(Self(None)),
            Ok(header::IfMatch::Items(tags)) if !tags.is_empty() => {
                Ok(Self(Some(tags.iter().filter_map(revision_of).collect())))
            }
            Ok(header::IfMatch::Items(_)) | Err(_) => Err(ApiError::IfMatch(BadIfMatch::Invalid)),
        })
    }
}

/// Refuses a request with `If-Match`: the address acts on many alerts, and each alert has its own
/// revision.
pub(crate) struct WithoutIfMatch;

impl FromRequest for WithoutIfMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let has_it = request.headers().contains_key(header::IF_MATCH);
        ready(if has_it { Err(ApiError::IfMatch(BadIfMatch::Unwanted)) } else { Ok(Self) })
    }
}

/// Returns the revision that a tag names. Returns `None` for a tag that the server never sends, and
/// for a weak tag, which matches nothing in `If-Match` (RFC 9110 section 13.1.1).
fn revision_of(tag: &EntityTag) -> Option<Revision> {
    let revision = tag.tag().parse().ok().map(Revision::new)?;
    tag.strong_eq(&tag_of(revision)).then_some(revision)
}

/// Returns the entity tag of an alert, which is its revision.
fn etag(alert: &Alert) -> EntityTag {
    tag_of(alert.revision)
}

fn tag_of(revision: Revision) -> EntityTag {
    EntityTag::new_strong(revision.get().to_string())
}

/// Starts an answer with one alert.
pub(crate) fn alert_answer(alert: &Positioned<Alert>) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header(ETag(etag(&alert.value)));
    response
}

/// Returns the answer 304 if `If-None-Match` of the `request` matches the current alert.
pub(crate) fn not_modified(
    request: &HttpRequest,
    alert: &Positioned<Alert>,
) -> Option<HttpResponse> {
    let etag = etag(&alert.value);
    let seen = match IfNoneMatch::parse(request).ok()? {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => tags.iter().any(|tag| tag.weak_eq(&etag)),
    };
    seen.then(|| HttpResponse::NotModified().insert_header(ETag(etag)).finish())
}

/// `If-Match` in the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the header, which is read by its name")]
pub(crate) struct IfMatchHeader {
    /// An `ETag` of the alert, or several, separated by commas. If the alert's current `ETag` is
    /// not in the list, the action is refused with 412.
    #[param(rename = "If-Match", example = "\"3\"")]
    if_match: Option<String>,
}

/// `If-None-Match` in the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the header, which is read by its name")]
pub(crate) struct IfNoneMatchHeader {
    /// The `ETag` of the alert that the client has. If the alert is unchanged, the answer is 304
    /// without the alert.
    #[param(rename = "If-None-Match", example = "\"3\"")]
    if_none_match: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_strong_tag_of_a_revision_is_parsed() {
        let strong = |tag: &str| revision_of(&EntityTag::new_strong(tag.to_owned()));
        assert_eq!(strong("12"), Some(Revision::new(12)));
        for tag in ["", "x", "-1", "+1", "01", "18446744073709551616"] {
            assert_eq!(strong(tag), None, "{tag:?}");
        }
        assert_eq!(revision_of(&EntityTag::new_weak("12".to_owned())), None);
    }
}
