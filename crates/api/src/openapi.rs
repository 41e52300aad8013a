//! The OpenAPI document, from the code that answers.

use crate::controllers::{alerts, messages, root};
use northgate_schemas::{
    AlertBody, AlertCollection, ChatBody, ErrorFrame, FieldProblem, MessageCollection, NewAlert,
    NewMessage, Problem, Welcome,
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
            A client posts chat by sending `{\"sender\", \"message\"}` as a text frame; what cannot \
            be read is answered by an `ErrorFrame` to that client alone.\n\n\
            Every address is served with and without a slash at its end. Every error is \
            `application/problem+json` (RFC 9457)."
    ),
    paths(root::welcome, alerts::raise, alerts::history, messages::post, messages::history),
    components(schemas(
        AlertBody, AlertCollection, ChatBody, ErrorFrame, FieldProblem, MessageCollection,
        NewAlert, NewMessage, Problem, Welcome
    )),
    tags(
        (name = "alerts", description = "Raise alerts, and see the newest."),
        (name = "chat", description = "What operators say beside the alerts."),
        (name = "service", description = "The server itself.")
    )
)]
struct Document;

/// The document as JSON.
#[expect(clippy::expect_used, reason = "the document is made of strings, lists and maps of them")]
pub(crate) fn document_json() -> String {
    Document::openapi().to_json().expect("the OpenAPI document can be encoded")
}
