//! The documentation that the server carries: the OpenAPI document and a page to try it.

use crate::ApiError;
use crate::openapi::document_json;
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use std::sync::{Arc, LazyLock};
use utoipa_swagger_ui::Config;

const PAGE: &str = include_str!("../docs/index.html");
const STARTER: &str = include_str!("../docs/starter.js");

/// Scripts from here alone; the page's library sets styles on elements, and its icons are `data:`.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) async fn openapi() -> HttpResponse {
    static JSON: LazyLock<String> = LazyLock::new(document_json);
    HttpResponse::Ok().content_type("application/json").body(JSON.as_str())
}

pub(crate) async fn page() -> HttpResponse {
    file("text/html; charset=utf-8", PAGE.as_bytes().to_vec())
}

pub(crate) async fn asset(name: web::Path<String>) -> Result<HttpResponse, ApiError> {
    match name.as_str() {
        "starter.js" => Ok(file("text/javascript", STARTER.as_bytes().to_vec())),
        "swagger-ui.css" | "swagger-ui-bundle.js" | "favicon-32x32.png" => {
            let served = utoipa_swagger_ui::serve(&name, Arc::new(Config::from("/openapi.json")));
            let found = served.ok().flatten().ok_or(ApiError::NotFound)?;
            Ok(file(&found.content_type, found.bytes.into_owned()))
        }
        _ => Err(ApiError::NotFound),
    }
}

/// The other page that the Python service had.
pub(crate) async fn redoc() -> HttpResponse {
    HttpResponse::TemporaryRedirect().insert_header((header::LOCATION, "/docs")).finish()
}

fn file(content_type: &str, bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .body(bytes)
}
