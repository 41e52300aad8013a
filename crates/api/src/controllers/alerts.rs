//! Alerts over HTTP.

use crate::ApiError;
use crate::body::JsonBody;
use crate::controllers::HISTORY;
use crate::openapi::{ReadProblems, WriteProblems};
use actix_web::{HttpResponse, web};
use northgate_schemas::{AlertBody, AlertCollection, NewAlert};
use northgate_services::AlertService;

/// Raises an alert: it is kept when the answer comes, and on its way to every dashboard.
#[utoipa::path(
    post,
    path = "/alerts",
    tag = "alerts",
    request_body = NewAlert,
    responses(
        (status = 200, description = "The alert was kept.", body = AlertBody),
        WriteProblems,
    )
)]
pub(crate) async fn raise(
    service: web::Data<AlertService>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let alert = service.raise(NewAlert::parse(&body.0)?).await?;
    Ok(HttpResponse::Ok().json(AlertBody::from(&alert)))
}

/// The newest 10 alerts, oldest first.
#[utoipa::path(
    get,
    path = "/alerts/history",
    tag = "alerts",
    responses(
        (status = 200, description = "The newest alerts.", body = AlertCollection),
        ReadProblems,
    )
)]
pub(crate) async fn history(service: web::Data<AlertService>) -> Result<HttpResponse, ApiError> {
    let alerts = service.newest(HISTORY).await?;
    Ok(HttpResponse::Ok().json(AlertCollection::new(alerts.position, &alerts.items)))
}
