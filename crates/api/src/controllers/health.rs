//! Health probes: whether the process is alive, and whether it is ready for requests.

use crate::responses::ReadProblems;
use crate::{ApiError, Readiness};
use actix_web::{HttpResponse, Responder, web};
use northgate_schemas::Health;

/// Check whether the process is alive.
#[utoipa::path(
    get,
    path = "/health/live",
    tag = "service",
    responses((status = 200, description = "The process is alive.", body = Health))
)]
pub(crate) async fn live() -> impl Responder {
    web::Json(Health::new("live"))
}

/// Check whether the server is ready.
///
/// The server is ready if the store answers and can write, the fan-out keeps up, and no stop was
/// requested.
#[utoipa::path(
    get,
    path = "/health/ready",
    tag = "service",
    responses((status = 200, description = "The server is ready.", body = Health), ReadProblems)
)]
pub(crate) async fn ready(readiness: web::Data<Readiness>) -> Result<HttpResponse, ApiError> {
    readiness.check().await?;
    Ok(HttpResponse::Ok().json(Health::new("ready")))
}
