//! Chat over HTTP.

use crate::ApiError;
use crate::body::JsonBody;
use crate::history::{AskedHistory, HistoryParameters, part};
use crate::idempotency::{IdempotencyKeyHeader, KeyOfRequest, kept};
use crate::openapi::{HistoryProblems, WriteProblems};
use actix_web::{HttpResponse, web};
use northgate_schemas::{ChatBody, MessageCollection, NewMessage};
use northgate_services::ChatService;

/// Posts a chat message: it is kept when the answer comes, and on its way to everyone.
#[utoipa::path(
    post,
    path = "/message/",
    tag = "chat",
    params(IdempotencyKeyHeader),
    request_body = NewMessage,
    responses(
        (status = 200, description = "The message was kept.", body = ChatBody,
            headers(("Idempotent-Replayed" = bool,
                description = "`true` if it was kept before, under the same key."))),
        WriteProblems,
    )
)]
pub(crate) async fn post(
    service: web::Data<ChatService>,
    key: KeyOfRequest,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let message = service.post(NewMessage::parse(&body.0)?, key.0).await?;
    Ok(kept(message.replayed).json(ChatBody::from(&message.value)))
}

/// Chat messages in their order: the newest 10, or what is asked for.
#[utoipa::path(
    get,
    path = "/message/",
    tag = "chat",
    params(HistoryParameters),
    responses(
        (status = 200, description = "The messages.", body = MessageCollection),
        HistoryProblems,
    )
)]
pub(crate) async fn history(
    service: web::Data<ChatService>,
    asked: AskedHistory,
) -> Result<HttpResponse, ApiError> {
    let messages = service.history(asked.messages()).await?;
    let answer = MessageCollection::new(&asked.request, &asked.path, &part(&messages));
    Ok(HttpResponse::Ok().json(answer))
}
