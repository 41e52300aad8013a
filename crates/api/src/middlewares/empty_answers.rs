//! Adds a short body to every answer that has none.
//!
//! The HTTP library writes an answer without a body directly into the buffer of the connection,
//! without checking how full that buffer is. An answer with a body waits until the buffer has free
//! space. Without this middleware, a client that sends requests and reads no answers could fill the
//! memory with empty answers.

use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderValue;
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;

/// Fills an empty body with the status in words. This middleware must wrap everything that answers.
pub async fn fill_empty_answers(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let empty = matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0));
    let status = response.status();
    if !empty || status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(response);
    }
    let words = status.canonical_reason().unwrap_or("Done");
    let mut response = response.map_body(|_, _| BoxBody::new(words));
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    Ok(response)
}
