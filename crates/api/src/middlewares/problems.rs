//! Turns every error that the framework answers into problem details.

use crate::ApiError;
use actix_cors::CorsError;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError};
use northgate_schemas::Problem;

/// Answers every error with problem details. This middleware must wrap everything that can fail.
pub async fn tell_problems(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // The inner services turn their own errors into answers. Here only the framework can fail.
    let response = next.call(request).await?.map_into_boxed_body();
    let status = response.status();
    let told = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|media_type| media_type == Problem::MEDIA_TYPE);
    if told || !(status.is_client_error() || status.is_server_error()) {
        return Ok(response);
    }
    let cause = response.response().error();
    let error = if let Some(refused) = cause.and_then(Error::as_error::<CorsError>) {
        ApiError::Preflight(refused_part(refused))
    } else {
        tracing::debug!(http.status = status.as_u16(), ?cause, "the framework refused a request");
        ApiError::Framework(status)
    };
    Ok(response.into_response(error.error_response()))
}

fn refused_part(error: &CorsError) -> &'static str {
    match error {
        CorsError::MethodNotAllowed | CorsError::BadRequestMethod => "method",
        CorsError::HeadersNotAllowed | CorsError::BadRequestHeaders => "header",
        // The other reasons of the present version concern the origin. Later versions of the
        // library may add reasons.
        _ => "origin",
    }
}
