//! Chat over HTTP.

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
    Ok(kept(HttpResponse::Ok(), message.replayed).json(ChatBody::from(&message.value)))
}

/// Chat messages in their order: the newest 10, or what is asked for.
///
/// A parameter that is only for alerts, such as `severity`, leaves no message out.
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

/// The thread of an alert: the messages that were posted with its id, the newest 10, or what is
/// asked for.
#[utoipa::path(
    get,
    path = "/alerts/{id}/messages",
    tag = "chat",
    params(("id" = Uuid, Path, description = "The alert's id."), HistoryParameters),
    responses(
        (status = 200, description = "The messages.", body = MessageCollection),
        (status = 404, description = "There is no alert with this id, and no message about one.",
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
        // An alert that is not held any more leaves its thread behind.
        let any = MessageQuery { alert_id: Some(id), ..MessageQuery::newest(1) };
        if chat.history(any).await?.items.is_empty() {
            return Err(ApiError::NoSuchAlert);
        }
    }
    let answer = MessageCollection::new(&asked.query, asked.order, &messages);
    Ok(reservation.json(answer.to_json()))
}
