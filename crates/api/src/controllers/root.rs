//! Serves the greeting.

use actix_web::{Responder, web};
use northgate_schemas::Welcome;

/// Get the greeting.
#[utoipa::path(
    get,
    path = "/",
    tag = "service",
    responses((status = 200, description = "The server is running.", body = Welcome))
)]
pub(crate) async fn welcome() -> impl Responder {
    web::Json(Welcome::default())
}
