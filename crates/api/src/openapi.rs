//! The OpenAPI document, from the code that answers.

use crate::controllers::{actions, alerts, events, health, messages, root};
use northgate_schemas::{
    ActionFrame, ActionResults, AlertBody, AlertCollection, AlertState, AlertSummary,
    AlertUpdateBody, BusyNotice, ChatBody, ErrorFrame, EventTypeName, FieldProblem, Health,
    LiveNotice, MessageCollection, NewAction, NewActions, NewAlert, NewMessage, NewNote, NoteBody,
    Problem, ResultFrame, ResumeNotice, Welcome,
};
use utoipa::OpenApi;

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
