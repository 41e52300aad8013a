//! Alerts over HTTP.

use crate::ApiError;
use crate::body::JsonBody;
use actix_web::{HttpResponse, web};
use northgate_schemas::{AlertBody, AlertCollection, NewAlert, Problem};
use northgate_services::AlertService;

/// How many alerts the history shows.
const HISTORY: usize = 10;

/// Raises an alert: it is kept when the answer comes, and on its way to every dashboard.
#[utoipa::path(
    post,
    path = "/alerts",
    tag = "alerts",
    request_body = NewAlert,
    responses(
        (status = 200, description = "The alert was kept.", body = AlertBody),
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
        (status = 503, description = "The store cannot answer now.", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn history(service: web::Data<AlertService>) -> Result<HttpResponse, ApiError> {
    let alerts = service.newest(HISTORY).await?;
    Ok(HttpResponse::Ok().json(AlertCollection::new(alerts.position, &alerts.items)))
}
