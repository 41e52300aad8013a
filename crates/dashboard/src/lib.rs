//! The board: a live web page of all alerts, embedded in the binary.
//!
//! The crate serves files and nothing else. The page in `assets/` uses only the public API, as a
//! page of another team would. The crate depends on no other crate of Northgate.

mod accept;
mod answers;
mod assets;
mod libraries;
mod page;

use crate::accept::prefers_html;
use crate::assets::ASSETS;
pub use crate::page::Board;
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, guard};

/// Adds the page at `/`, for clients that prefer HTML, and its files below `/assets/`. Other
/// requests for `/` go to the next service with this path, so call this function before that
/// service is added. The answer of that service must have `Vary: Accept`.
pub fn configure(app: &mut ServiceConfig, board: &Board) {
    let html = guard::fn_guard(|context| {
        let reads = [Method::GET, Method::HEAD].contains(&context.head().method);
        reads && prefers_html(&context.head().headers)
    });
    let board = board.clone();
    let page = move |request: HttpRequest| {
        let answer = board.answer(&request);
        async move { answer }
    };
    app.service(web::resource("/").guard(html).to(page));
    app.service(
        web::resource("/assets/{fingerprint}/{path:.+}")
            .guard(guard::Any(guard::Get()).or(guard::Head()))
            .to(asset),
    );
}

async fn asset(request: HttpRequest, names: web::Path<(String, String)>) -> HttpResponse {
    let (fingerprint, path) = names.as_ref();
    ASSETS.answer(&request, fingerprint, path)
}
