//! Alerts over HTTP.

use crate::ApiError;
use crate::body::JsonBody;
use crate::history::{AskedHistory, HistoryParameters, LocationParameter, part};
use crate::idempotency::{IdempotencyKeyHeader, KeyOfRequest, kept};
use crate::openapi::{HistoryProblems, ReadProblems, WriteProblems};
use actix_web::{HttpResponse, web};
use northgate_domain::AlertId;
use northgate_schemas::{AlertBody, AlertCollection, NewAlert, Problem};
use northgate_services::AlertService;
use uuid::Uuid;

/// Raises an alert: it is kept when the answer comes, and on its way to every dashboard.
#[utoipa::path(
    post,
    path = "/alerts",
    tag = "alerts",
    params(IdempotencyKeyHeader),
    request_body = NewAlert,
    responses(
        (status = 200, description = "The alert was kept.", body = AlertBody,
            headers(("Idempotent-Replayed" = bool,
                description = "`true` if it was kept before, under the same key."))),
        WriteProblems,
    )
)]
pub(crate) async fn raise(
    service: web::Data<AlertService>,
    key: KeyOfRequest,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let alert = service.raise(NewAlert::parse(&body.0)?, key.0).await?;
    Ok(kept(alert.replayed).json(AlertBody::from(&alert.value)))
}

/// Alerts as they stand, in the order of their raising: the newest 10, or what is asked for.
///
/// `GET /alerts` and `GET /alerts/history` are the same. The collection at its `position`, with the
/// stream after that position, is the present.
#[utoipa::path(
    get,
    path = "/alerts",
    tag = "alerts",
    params(HistoryParameters, LocationParameter),
    responses(
        (status = 200, description = "The alerts.", body = AlertCollection),
        HistoryProblems,
    )
)]
pub(crate) async fn history(
    service: web::Data<AlertService>,
    asked: AskedHistory,
) -> Result<HttpResponse, ApiError> {
    let alerts = service.history(asked.alerts()).await?;
    let answer = AlertCollection::new(&asked.request, &asked.path, &part(&alerts));
    Ok(HttpResponse::Ok().json(answer))
}

/// The address of the history that was there first; see `GET /alerts`.
#[utoipa::path(
    get,
    path = "/alerts/history",
    tag = "alerts",
    params(HistoryParameters, LocationParameter),
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
    params(("id" = Uuid, Path, description = "The alert's id.")),
    responses(
        (status = 200, description = "The alert.", body = AlertBody),
        (status = 404, description = "There is none with this id.",
            body = Problem, content_type = "application/problem+json"),
        ReadProblems,
    )
)]
pub(crate) async fn one(
    service: web::Data<AlertService>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = Uuid::try_parse(&id).map_err(|_| ApiError::NoSuchAlert)?;
    let alert = service.find(AlertId(id)).await?.ok_or(ApiError::NoSuchAlert)?;
    Ok(HttpResponse::Ok().json(AlertBody::from(&alert)))
}
