//! Chat over HTTP.

use crate::ApiError;
use crate::body::JsonBody;
use crate::controllers::HISTORY;
use crate::openapi::{ReadProblems, WriteProblems};
use actix_web::{HttpResponse, web};
use northgate_schemas::{ChatBody, MessageCollection, NewMessage};
use northgate_services::ChatService;

/// Posts a chat message: it is kept when the answer comes, and on its way to everyone.
#[utoipa::path(
    post,
    path = "/message/",
    tag = "chat",
    request_body = NewMessage,
    responses(
        (status = 200, description = "The message was kept.", body = ChatBody),
        WriteProblems,
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
        ReadProblems,
    )
)]
pub(crate) async fn history(service: web::Data<ChatService>) -> Result<HttpResponse, ApiError> {
    let messages = service.newest(HISTORY).await?;
    Ok(HttpResponse::Ok().json(MessageCollection::new(messages.position, &messages.items)))
}
