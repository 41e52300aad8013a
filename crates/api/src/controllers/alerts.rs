//! Raises and reads alerts over HTTP.

use crate::alert_id::alert_id;
use crate::body::JsonBody;
use crate::conditional::{IfNoneMatchHeader, alert_answer, not_modified};
use crate::history::{
    AlertParameters, AskedHistory, AskedTimeline, HistoryParameters, TimelineParameters,
};
use crate::idempotency::{IdempotencyKeyHeader, KeyOfRequest, kept};
use crate::responses::{HistoryProblems, ReadProblems, WriteProblems};
use crate::{AnswerBudget, ApiError};
use actix_web::{HttpRequest, HttpResponse, web};
use northgate_schemas::{
    AlertBody, AlertCollection, AlertSummary, NewAlert, Problem, TimelineBody,
};
use northgate_services::AlertService;

/// Raise an alert.
///
/// When the answer arrives, the alert is stored and is being sent to all clients. If an alert with
/// the same `dedup_key` is not resolved, the request is a repeat: the answer is that alert with the
/// new `count`. Repeats within the repeat window (100 ms by default) are stored
/// together as one event.
#[utoipa::path(
    post,
    path = "/alerts",
    tag = "alerts",
    params(IdempotencyKeyHeader),
    request_body = NewAlert,
    responses(
        (status = 200, description = "The alert was stored.", body = AlertBody,
            headers(
                ("Idempotent-Replayed" = bool,
                    description = "Is `true` if the answer is a replay for the same `Idempotency-Key`."),
                ("ETag" = String, description = "The alert's revision, in quotes."),
            )),
        WriteProblems,
    )
)]
pub(crate) async fn raise(
    service: web::Data<AlertService>,
    key: KeyOfRequest,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let alert = service.raise(NewAlert::parse(&body.0)?, key.0).await?;
    let body = AlertBody::from(&alert.value);
    Ok(kept(alert_answer(&alert.value), alert.replayed).json(body))
}

/// List alerts.
///
/// The answer contains the current state of the newest 10 alerts, or of the selected alerts, in the
/// order in which the alerts were raised. `GET /alerts` and `GET /alerts/history` return the same
/// answer. A client that opens a stream after the `position` of this answer misses no event.
#[utoipa::path(
    get,
    path = "/alerts",
    tag = "alerts",
    params(HistoryParameters, AlertParameters),
    responses(
        (status = 200, description = "The alerts.", body = AlertCollection),
        HistoryProblems,
    )
)]
pub(crate) async fn history(
    service: web::Data<AlertService>,
    budget: web::Data<AnswerBudget>,
    asked: AskedHistory,
) -> Result<HttpResponse, ApiError> {
    let reservation = budget.reserve(asked.query.range.limit).await?;
    let alerts = service.history(asked.query.clone()).await?;
    let answer = AlertCollection::new(&asked.query, asked.order, &alerts);
    Ok(reservation.json(answer.to_json()))
}

/// List alerts under the older address.
///
/// The answer is the same as that of `GET /alerts`.
#[utoipa::path(
    get,
    path = "/alerts/history",
    tag = "alerts",
    params(HistoryParameters, AlertParameters),
    responses(
        (status = 200, description = "The alerts.", body = AlertCollection),
        HistoryProblems,
    )
)]
#[expect(dead_code, reason = "describes the address; `history` answers there")]
fn history_as_ever() {}

/// Get one alert.
///
/// The answer contains the current state of the alert.
#[utoipa::path(
    get,
    path = "/alerts/{id}",
    tag = "alerts",
    params(("id" = Uuid, Path, description = "The alert's id."), IfNoneMatchHeader),
    responses(
        (status = 200, description = "The alert.", body = AlertBody,
            headers(("ETag" = String, description = "The alert's revision, in quotes."))),
        (status = 304, description = "The alert still has the `ETag` of If-None-Match.",
            headers(("ETag" = String, description = "The alert's revision, in quotes."))),
        (status = 404, description = "There is no alert with this id.",
            body = Problem, content_type = "application/problem+json"),
        ReadProblems,
    )
)]
pub(crate) async fn one(
    service: web::Data<AlertService>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let alert = service.find(alert_id(&id)?).await?.ok_or(ApiError::NoSuchAlert)?;
    let known = not_modified(&request, &alert);
    Ok(known.unwrap_or_else(|| alert_answer(&alert).json(AlertBody::from(&alert))))
}

/// Get the history of one alert.
///
/// The answer contains the current state of the alert and the newest 100 of its stored events, or
/// the selected ones. If older events of the alert were trimmed, the last page also contains the
/// changes that the state of the alert still shows. All of this is from one state of the store.
#[utoipa::path(
    get,
    path = "/alerts/{id}/timeline",
    tag = "alerts",
    params(("id" = Uuid, Path, description = "The alert's id."), TimelineParameters),
    responses(
        (status = 200, description = "The history of the alert.", body = TimelineBody),
        (status = 404, description = "There is no alert with this id.",
            body = Problem, content_type = "application/problem+json"),
        HistoryProblems,
    )
)]
pub(crate) async fn timeline(
    service: web::Data<AlertService>,
    budget: web::Data<AnswerBudget>,
    id: web::Path<String>,
    AskedTimeline(range): AskedTimeline,
) -> Result<HttpResponse, ApiError> {
    let id = alert_id(&id)?;
    // Beside the page, the current alert and its oldest event are in memory.
    let reservation = budget.reserve(range.limit.saturating_add(2)).await?;
    let timeline = service.timeline(id, range).await?.ok_or(ApiError::NoSuchAlert)?;
    Ok(reservation.json(TimelineBody::new(range, &timeline).to_json()))
}

/// Count alerts by status and severity.
#[utoipa::path(
    get,
    path = "/alerts/summary",
    tag = "alerts",
    responses(
        (status = 200, description = "The counts of alerts.", body = AlertSummary),
        ReadProblems,
    )
)]
pub(crate) async fn summary(service: web::Data<AlertService>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(AlertSummary::new(service.summary().await?)))
}
