//! Alerts over HTTP.

use crate::alert_id::alert_id;
use crate::body::JsonBody;
use crate::conditional::{IfNoneMatchHeader, alert_answer, not_modified};
use crate::history::{AlertParameters, AskedHistory, HistoryParameters};
use crate::idempotency::{IdempotencyKeyHeader, KeyOfRequest, kept};
use crate::responses::{HistoryProblems, ReadProblems, WriteProblems};
use crate::{AnswerBudget, ApiError};
use actix_web::{HttpRequest, HttpResponse, web};
use northgate_schemas::{AlertBody, AlertCollection, AlertSummary, NewAlert, Problem};
use northgate_services::AlertService;

/// Raises an alert: it is kept when the answer comes, and on its way to every dashboard.
///
/// With the `dedup_key` of an alert that is not resolved it is a repeat of that one: the answer is
/// that alert with the new `count`. Repeats that come within 100 ms are kept together.
#[utoipa::path(
    post,
    path = "/alerts",
    tag = "alerts",
    params(IdempotencyKeyHeader),
    request_body = NewAlert,
    responses(
        (status = 200, description = "The alert was kept.", body = AlertBody,
            headers(
                ("Idempotent-Replayed" = bool,
                    description = "`true` if it was kept before, under the same key."),
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

/// Alerts as they stand, in the order of their raising: the newest 10, or what is asked for.
///
/// `GET /alerts` and `GET /alerts/history` are the same. The collection at its `position`, with the
/// stream after that position, is the present.
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

/// The address of the history that was there first; see `GET /alerts`.
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

/// One alert as it stands.
#[utoipa::path(
    get,
    path = "/alerts/{id}",
    tag = "alerts",
    params(("id" = Uuid, Path, description = "The alert's id."), IfNoneMatchHeader),
    responses(
        (status = 200, description = "The alert.", body = AlertBody,
            headers(("ETag" = String, description = "The alert's revision, in quotes."))),
        (status = 304, description = "It is as it was at the `ETag` of If-None-Match.",
            headers(("ETag" = String, description = "The alert's revision, in quotes."))),
        (status = 404, description = "There is none with this id.",
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

/// All alerts in numbers, by status and severity.
#[utoipa::path(
    get,
    path = "/alerts/summary",
    tag = "alerts",
    responses(
        (status = 200, description = "The numbers.", body = AlertSummary),
        ReadProblems,
    )
)]
pub(crate) async fn summary(service: web::Data<AlertService>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(AlertSummary::new(service.summary().await?)))
}
