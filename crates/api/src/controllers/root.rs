//! Serves the greeting.

use actix_web::http::header::VARY;
use actix_web::{Responder, web};
use northgate_schemas::Welcome;

/// Get the greeting.
///
/// A browser, which sends `Accept: text/html`, receives the board instead: a web page.
#[utoipa::path(
    get,
    path = "/",
    tag = "service",
    responses((status = 200, description = "The server is running.", body = Welcome))
)]
pub(crate) async fn welcome() -> impl Responder {
    web::Json(Welcome::default()).customize().insert_header((VARY, "Accept"))
}
