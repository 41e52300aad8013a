//! The OpenAPI document, from the code that answers.

use crate::controllers::{actions, alerts, events, health, messages, root};
use northgate_schemas::{
    ActionFrame, ActionResults, AlertBody, AlertCollection, AlertState, AlertSummary,
    AlertUpdateBody, BusyNotice, ChatBody, ErrorFrame, EventTypeName, FieldProblem, Health,
    LiveNotice, MessageCollection, NewAction, NewActions, NewAlert, NewMessage, NewNote, NoteBody,
    Problem, ResultFrame, ResumeNotice, Welcome,
};
use utoipa::{IntoResponses, OpenApi};

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

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Northgate",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        description = "A self-hosted, real-time alert server.\n\n\
            Whatever is raised or posted here reaches every WebSocket at `/ws` at once and in one \
            order: each event as one text frame that holds the same JSON object as the answer. \
            What happens to an alert later is an `AlertUpdate`, for those who ask for it with \
            `types=`. A client posts chat by sending `{\"sender\", \"message\"}` as a text frame; what cannot \
            be read is answered by an `ErrorFrame` to that client alone. `/ws` takes the query of \
            `/events`; a client that asks for something is told where its stream is by a \
            `ResumeNotice` first, and by a `LiveNotice` once it has caught up and every 25 s.\n\n\
            Every address is served with and without a slash at its end. Every error is \
            `application/problem+json` (RFC 9457)."
    ),
    paths(
        root::welcome, alerts::raise, alerts::history, alerts::history_as_ever, alerts::summary,
        alerts::one, actions::acknowledge, actions::unacknowledge, actions::resolve, actions::reopen,
        actions::annotate, actions::on_many,
        messages::post, messages::history, messages::thread,
        events::stream, health::live, health::ready
    ),
    components(schemas(
        ActionFrame, ActionResults, AlertBody, AlertCollection, AlertState, AlertSummary,
        AlertUpdateBody, BusyNotice, ChatBody, ErrorFrame, EventTypeName, FieldProblem,
        Health, LiveNotice, MessageCollection, NewAction, NewActions, NewAlert, NewMessage, NewNote, NoteBody, Problem, ResultFrame,
        ResumeNotice, Welcome
    )),
    servers((url = ".", description = "Where this document is.")),
    tags(
        (name = "alerts", description = "Raise alerts, and see the newest."),
        (name = "chat", description = "What operators say beside the alerts."),
        (name = "streams", description = "Hear of everything as it happens."),
        (name = "service", description = "The server itself.")
    )
)]
struct Document;

/// The document as JSON.
#[expect(clippy::expect_used, reason = "the document is made of strings, lists and maps of them")]
pub(crate) fn document_json() -> String {
    Document::openapi().to_json().expect("the OpenAPI document can be encoded")
}
