//! Chat over HTTP.

use crate::ApiError;
use crate::body::JsonBody;
use actix_web::{HttpResponse, web};
use northgate_schemas::{ChatBody, MessageCollection, NewMessage, Problem};
use northgate_services::ChatService;

/// How many messages the history shows.
const HISTORY: usize = 10;

/// Posts a chat message: it is kept when the answer comes, and on its way to everyone.
#[utoipa::path(
    post,
    path = "/message/",
    tag = "chat",
    request_body = NewMessage,
    responses(
        (status = 200, description = "The message was kept.", body = ChatBody),
        (status = 400, description = "The body cannot be read as JSON.", body = Problem,
            content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem,
            content_type = "application/problem+json"),
        (status = 415, description = "The body is not said to be JSON.", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "Some fields are not valid; all of them are named.",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Nothing is taken now; nothing was kept.", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn post(
    service: web::Data<ChatService>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let message = service.post(NewMessage::parse(&body.0)?).await?;
    Ok(HttpResponse::Ok().json(ChatBody::from(&message)))
}

/// The newest 10 chat messages, oldest first.
#[utoipa::path(
    get,
    path = "/message/",
    tag = "chat",
    responses(
        (status = 200, description = "The newest messages.", body = MessageCollection),
        (status = 503, description = "The store cannot answer now.", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn history(service: web::Data<ChatService>) -> Result<HttpResponse, ApiError> {
    let messages = service.newest(HISTORY).await?;
    Ok(HttpResponse::Ok().json(MessageCollection::new(messages.position, &messages.items)))
}
