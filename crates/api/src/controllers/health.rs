//! Probes: is the process alive, and should it be sent requests.

use crate::responses::ReadProblems;
use crate::{ApiError, Readiness};
use actix_web::{HttpResponse, Responder, web};
use northgate_schemas::Health;

/// The process is alive: it answers.
#[utoipa::path(
    get,
    path = "/health/live",
    tag = "service",
    responses((status = 200, description = "It is.", body = Health))
)]
pub(crate) async fn live() -> impl Responder {
    web::Json(Health::new("live"))
}

/// The server can be sent requests: the store answers and can keep what comes, the fan-out keeps
/// up, and nobody has asked the server to stop.
#[utoipa::path(
    get,
    path = "/health/ready",
    tag = "service",
    responses((status = 200, description = "It can.", body = Health), ReadProblems)
)]
pub(crate) async fn ready(readiness: web::Data<Readiness>) -> Result<HttpResponse, ApiError> {
    readiness.check().await?;
    Ok(HttpResponse::Ok().json(Health::new("ready")))
}
