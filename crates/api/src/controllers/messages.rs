//! Posts and reads chat messages over HTTP.

use crate::alert_id::alert_id;
use crate::body::JsonBody;
use crate::history::{AskedHistory, HistoryParameters};
use crate::idempotency::{IdempotencyKeyHeader, KeyOfRequest, kept};
use crate::responses::{HistoryProblems, WriteProblems};
use crate::{AnswerBudget, ApiError};
use actix_web::{HttpResponse, web};
use northgate_domain::MessageQuery;
use northgate_schemas::{ChatBody, MessageCollection, NewMessage, Problem};
use northgate_services::{AlertService, ChatService};

/// Post a chat message.
///
/// When the answer arrives, the message is stored and is being sent to all clients.
#[utoipa::path(
    post,
    path = "/message/",
    tag = "chat",
    params(IdempotencyKeyHeader),
    request_body = NewMessage,
    responses(
        (status = 200, description = "The message was stored.", body = ChatBody,
            headers(("Idempotent-Replayed" = bool,
                description = "Is `true` if the answer is a replay for the same `Idempotency-Key`."))),
        WriteProblems,
    )
)]
pub(crate) async fn post(
    service: web::Data<ChatService>,
    key: KeyOfRequest,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let message = service.post(NewMessage::parse(&body.0)?, key.0).await?;
    Ok(kept(HttpResponse::Ok(), message.replayed).json(ChatBody::from(&message.value)))
}

/// List chat messages.
///
/// The answer contains the newest 10 messages, or the selected ones. Parameters that are only for
/// alerts, for example `severity`, are ignored.
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
    budget: web::Data<AnswerBudget>,
    asked: AskedHistory,
) -> Result<HttpResponse, ApiError> {
    let reservation = budget.reserve(asked.query.range.limit).await?;
    let messages = service.history(asked.messages(None)).await?;
    let answer = MessageCollection::new(&asked.query, asked.order, &messages);
    Ok(reservation.json(answer.to_json()))
}

/// List the chat messages of an alert.
///
/// The thread of an alert contains the messages that were posted with its id. The answer contains
/// the newest 10 messages of the thread, or the selected ones.
#[utoipa::path(
    get,
    path = "/alerts/{id}/messages",
    tag = "chat",
    params(("id" = Uuid, Path, description = "The alert's id."), HistoryParameters),
    responses(
        (status = 200, description = "The messages.", body = MessageCollection),
        (status = 404, description = "There is no alert with this id, and its thread is empty.",
            body = Problem, content_type = "application/problem+json"),
        HistoryProblems,
    )
)]
pub(crate) async fn thread(
    chat: web::Data<ChatService>,
    alerts: web::Data<AlertService>,
    budget: web::Data<AnswerBudget>,
    id: web::Path<String>,
    asked: AskedHistory,
) -> Result<HttpResponse, ApiError> {
    let id = alert_id(&id)?;
    let reservation = budget.reserve(asked.query.range.limit).await?;
    let messages = chat.history(asked.messages(Some(id))).await?;
    if messages.items.is_empty() && alerts.find(id).await?.is_none() {
        // The thread of an alert is still available after the alert itself is no longer retained.
        let any = MessageQuery { alert_id: Some(id), ..MessageQuery::newest(1) };
        if chat.history(any).await?.items.is_empty() {
            return Err(ApiError::NoSuchAlert);
        }
    }
    let answer = MessageCollection::new(&asked.query, asked.order, &messages);
    Ok(reservation.json(answer.to_json()))
}
