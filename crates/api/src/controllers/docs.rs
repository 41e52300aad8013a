//! Serves the built-in documentation: the OpenAPI document, and a page that displays the document
//! and can send requests. Each file is in memory once, and all answers share it.

use crate::ApiError;
use crate::answers::PiecewiseBody;
use crate::openapi::document_json;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use utoipa_swagger_ui::Config;

const PAGE: &str = include_str!("../docs/index.html");
const STARTER: &str = include_str!("../docs/starter.js");
/// The files of the Swagger UI library that the page loads.
const LIBRARY: [&str; 3] = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

/// Scripts come only from this server. Inline styles and `data:` images are allowed, because the
/// library sets styles on elements and has icons with `data:` addresses.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file with its media type.
struct Asset {
    content_type: String,
    bytes: Bytes,
}

/// The files of the library by name.
static ASSETS: LazyLock<HashMap<&str, Asset>> = LazyLock::new(|| {
    let config = Arc::new(Config::from("/openapi.json"));
    let asset = |name| {
        let file = utoipa_swagger_ui::serve(name, config.clone()).ok().flatten()?;
        let (content_type, bytes) = (file.content_type, Bytes::from(file.bytes.into_owned()));
        Some((name, Asset { content_type, bytes }))
    };
    LIBRARY.into_iter().filter_map(asset).collect()
});

pub(crate) async fn openapi() -> HttpResponse {
    static JSON: LazyLock<Bytes> = LazyLock::new(|| document_json().into());
    let body = PiecewiseBody::shared(JSON.clone());
    HttpResponse::Ok().content_type("application/json").body(body)
}

/// Serves the page. The links in the page are relative, so they work under any path prefix of a
/// proxy.
pub(crate) async fn page(request: HttpRequest) -> HttpResponse {
    static PAGES: LazyLock<[Bytes; 2]> = LazyLock::new(|| {
        // A browser resolves a relative link against `/` on the page `/docs`, and against `/docs/`
        // on the page `/docs/`.
        [("docs/", ""), ("", "../")]
            .map(|(docs, root)| PAGE.replace("{docs}", docs).replace("{root}", root).into())
    });
    let [without_slash, with_slash] = &*PAGES;
    let page = if request.path().ends_with('/') { with_slash } else { without_slash };
    file("text/html; charset=utf-8", page.clone())
}

pub(crate) async fn asset(name: web::Path<String>) -> Result<HttpResponse, ApiError> {
    if name.as_str() == "starter.js" {
        return Ok(file("text/javascript", Bytes::from_static(STARTER.as_bytes())));
    }
    let Asset { content_type, bytes } = ASSETS.get(name.as_str()).ok_or(ApiError::NotFound)?;
    Ok(file(content_type, bytes.clone()))
}

/// Redirects from the second documentation page of the Python service.
pub(crate) async fn redoc(request: HttpRequest) -> HttpResponse {
    let docs = if request.path().ends_with('/') { "../docs" } else { "docs" };
    HttpResponse::TemporaryRedirect().insert_header((header::LOCATION, docs)).finish()
}

fn file(content_type: &str, bytes: Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .body(PiecewiseBody::shared(bytes))
}
