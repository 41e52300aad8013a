//! Answers that several addresses share in the OpenAPI document.

use northgate_schemas::{AlertBody, Problem};
use utoipa::IntoResponses;

/// The errors of requests that change something.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers that `ApiError` sends")]
pub(crate) enum WriteProblems {
    /// The body cannot be read as JSON, or the `Idempotency-Key` or `If-Match` is invalid or is not
    /// accepted at this address.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(Problem),
    /// The request comes from a page of an origin that is not allowed.
    #[response(status = 403, content_type = "application/problem+json")]
    ForeignOrigin(Problem),
    /// The body did not arrive in time.
    #[response(status = 408, content_type = "application/problem+json")]
    SlowBody(Problem),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The `Content-Type` is not JSON, or the `Content-Encoding` is not gzip, deflate or zstd. In
    /// the second case `Accept-Encoding` lists the supported codings.
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(Problem),
    /// Some fields are not valid, and the answer names all invalid fields. Or the `Idempotency-Key`
    /// was used for another request.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
    /// The server cannot store events now, and nothing was stored. Or the store failed while it
    /// stored the request, and the request may or may not be stored. In the second case the type is
    /// `outcome-unknown`.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// The answers to an action on an alert, in addition to the answers to every request that changes
/// something.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers that the handlers and `ApiError` send")]
pub(crate) enum ActionAnswers {
    /// The alert after the action.
    #[response(status = 200, headers(
        ("Idempotent-Replayed" = bool,
            description = "Is `true` if the answer is a replay for the same `Idempotency-Key`."),
        ("ETag" = String, description = "The alert's revision, in quotes."),
    ))]
    Done(AlertBody<'static>),
    /// There is no alert with this id.
    #[response(status = 404, content_type = "application/problem+json")]
    NoSuchAlert(Problem),
    /// The status of the alert excludes this action. The member `alert` contains its current state.
    #[response(status = 409, content_type = "application/problem+json")]
    Contradiction(Problem),
    /// The alert is not at a revision of `If-Match`. The member `alert` contains its current state.
    #[response(status = 412, content_type = "application/problem+json")]
    Outdated(Problem),
}

/// The errors of requests that only read.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers that `ApiError` sends")]
pub(crate) enum ReadProblems {
    /// The store cannot answer now, or the server is not ready.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// The errors of requests for a history.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers that `ApiError` sends")]
pub(crate) enum HistoryProblems {
    /// The query is not valid. The answer names every bad parameter.
    #[response(status = 400, content_type = "application/problem+json")]
    Query(Problem),
    /// The position belongs to another log, because the data was replaced. Send the request without
    /// `after` and `before`.
    #[response(status = 410, content_type = "application/problem+json")]
    ForeignPosition(Problem),
    /// The store cannot answer now.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}
