//! Answers that several addresses give, as the OpenAPI document shows them.

use northgate_schemas::{AlertBody, Problem};
use utoipa::IntoResponses;

/// What a request that changes something may be answered instead.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers; `ApiError` gives them")]
pub(crate) enum WriteProblems {
    /// The body cannot be read as JSON, or the `Idempotency-Key` or `If-Match` is none, or is not
    /// taken here.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(Problem),
    /// A page of a foreign origin sent it.
    #[response(status = 403, content_type = "application/problem+json")]
    ForeignOrigin(Problem),
    /// The body came too slowly.
    #[response(status = 408, content_type = "application/problem+json")]
    SlowBody(Problem),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is not said to be JSON, or its `Content-Encoding` is not gzip, deflate or zstd;
    /// then `Accept-Encoding` lists these.
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(Problem),
    /// Some fields are not valid, and all of them are named; or the `Idempotency-Key` was used for
    /// another request.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
    /// Nothing is taken now, and nothing was kept; or it is not known whether it was.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// What an action on an alert is answered, beside what every request may be.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers; the handlers and `ApiError` give them")]
pub(crate) enum ActionAnswers {
    /// The alert as it stands afterwards.
    #[response(status = 200, headers(
        ("Idempotent-Replayed" = bool,
            description = "`true` if it was kept before, under the same key."),
        ("ETag" = String, description = "The alert's revision, in quotes."),
    ))]
    Done(AlertBody<'static>),
    /// There is no alert with this id.
    #[response(status = 404, content_type = "application/problem+json")]
    NoSuchAlert(Problem),
    /// The state of the alert contradicts it; `alert` says what that is.
    #[response(status = 409, content_type = "application/problem+json")]
    Contradiction(Problem),
    /// The alert has another revision than the one of `If-Match`.
    #[response(status = 412, content_type = "application/problem+json")]
    Outdated(Problem),
}

/// What a question may be answered instead.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers; `ApiError` gives them")]
pub(crate) enum ReadProblems {
    /// The store cannot answer now, or the server is not ready.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// What a question about a history may be answered instead.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers; `ApiError` gives them")]
pub(crate) enum HistoryProblems {
    /// The query is not valid; every bad parameter is named.
    #[response(status = 400, content_type = "application/problem+json")]
    Query(Problem),
    /// A position is of another log: the data was replaced. Ask without `after` and `before`.
    #[response(status = 410, content_type = "application/problem+json")]
    ForeignPosition(Problem),
    /// The store cannot answer now.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}
