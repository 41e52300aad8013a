//! Turns every error that the framework answers by itself into a problem.

use crate::ApiError;
use actix_cors::CorsError;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError};
use northgate_schemas::Problem;

/// Gives errors their one form, and every error a response. To be wrapped around everything that
/// can fail.
pub async fn tell_problems(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // What is inside answers errors with responses; only the framework could still fail here.
    let response = next.call(request).await?.map_into_boxed_body();
    let status = response.status();
    let told = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|media_type| media_type == Problem::MEDIA_TYPE);
    if told || !(status.is_client_error() || status.is_server_error()) {
        return Ok(response);
    }
    let error = match response.response().error().and_then(Error::as_error::<CorsError>) {
        Some(refused) => ApiError::Preflight(refused.to_string()),
        None => ApiError::Framework(status),
    };
    Ok(response.into_response(error.error_response()))
}
