//! Generates the OpenAPI document from the handlers and the wire shapes.

use crate::controllers::{actions, alerts, events, health, messages, root};
use northgate_schemas::{
    ActionFrame, ActionResults, AlertBody, AlertCollection, AlertState, AlertSummary,
    AlertUpdateBody, BusyNotice, ChatBody, ErrorFrame, EventTypeName, FieldProblem, Health,
    LiveNotice, MessageCollection, NewAction, NewActions, NewAlert, NewMessage, NewNote, NoteBody,
    Problem, ResultFrame, ResumeNotice, TimelineBody, TimelineEntry, Welcome,
};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Northgate",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        description = "A self-hosted, real-time alert server.\n\n\
            Every alert and chat message is sent immediately to every WebSocket at `/ws`, in the \
            same order for all. Each event is one text frame with the same JSON object as the answer. \
            Later changes of an alert are `AlertUpdate` frames, which a client receives only if it \
            requests them with `types=`. A client posts a chat message with the text frame \
            `{\"sender\", \"message\"}`. If a frame cannot be read, only its sender receives an \
            `ErrorFrame`. `/ws` accepts the same query as `/events`. A client whose query has any \
            of these parameters first receives a `ResumeNotice` with the position of its stream. \
            The client receives a `LiveNotice` when it has caught up, and then every 25 s.\n\n\
            Every address can be used with and without a final slash. Every error is \
            `application/problem+json` (RFC 9457)."
    ),
    paths(
        root::welcome, alerts::raise, alerts::history, alerts::history_as_ever, alerts::summary,
        alerts::one, alerts::timeline, actions::acknowledge, actions::unacknowledge, actions::resolve, actions::reopen,
        actions::annotate, actions::on_many,
        messages::post, messages::history, messages::thread,
        events::stream, health::live, health::ready
    ),
    components(schemas(
        ActionFrame, ActionResults, AlertBody, AlertCollection, AlertState, AlertSummary,
        AlertUpdateBody, BusyNotice, ChatBody, ErrorFrame, EventTypeName, FieldProblem,
        Health, LiveNotice, MessageCollection, NewAction, NewActions, NewAlert, NewMessage, NewNote, NoteBody, Problem, ResultFrame,
        ResumeNotice, TimelineBody, TimelineEntry, Welcome
    )),
    servers((url = ".", description = "The address of this document.")),
    tags(
        (name = "alerts", description = "Raise, list and handle alerts."),
        (name = "chat", description = "Chat messages of operators."),
        (name = "streams", description = "Receive events as they happen."),
        (name = "service", description = "Greeting and health of the server.")
    )
)]
struct Document;

/// Returns the document as JSON.
#[expect(clippy::expect_used, reason = "the document is made of strings, lists and maps of them")]
pub(crate) fn document_json() -> String {
    Document::openapi().to_json().expect("the OpenAPI document can be encoded")
}
