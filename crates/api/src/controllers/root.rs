//! The greeting.

use actix_web::{Responder, web};
use northgate_schemas::Welcome;

/// Says that the server is there.
#[utoipa::path(
    get,
    path = "/",
    tag = "service",
    responses((status = 200, description = "The server is there.", body = Welcome))
)]
pub(crate) async fn welcome() -> impl Responder {
    web::Json(Welcome::default())
}
