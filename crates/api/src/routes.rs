//! The addresses of this crate and their handlers.

use crate::body::BodyLimit;
use crate::controllers::{actions, alerts, docs, events, health, messages, root};
use crate::headers::ALL_METHODS;
use crate::{AnswerBudget, ApiError, Endpoint, Readiness};
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use northgate_hub::Worker;
use northgate_services::{AlertService, ChatService, ConnectionLimiter};

/// The services and limits that the controllers need.
#[derive(Clone)]
pub struct ApiContext {
    /// Raises, changes and lists alerts.
    pub alerts: AlertService,
    /// Posts and lists chat messages.
    pub chat: ChatService,
    /// The fan-out of this thread.
    pub worker: Worker,
    /// Limits the number of connections that stream.
    pub limiter: ConnectionLimiter,
    /// Readiness of the server.
    pub readiness: Readiness,
    /// Memory budget of large answers.
    pub answers: AnswerBudget,
    /// Upper bound of a request body in bytes.
    pub body_limit: BodyLimit,
}

/// Adds every address of this crate, and a 404 answer for all others.
pub fn configure(app: &mut web::ServiceConfig, context: ApiContext) {
    app.app_data(web::Data::new(context.alerts))
        .app_data(web::Data::new(context.chat))
        .app_data(web::Data::new(context.worker))
        .app_data(web::Data::new(context.limiter))
        .app_data(web::Data::new(context.readiness))
        .app_data(web::Data::new(context.answers))
        .app_data(context.body_limit)
        .service(Endpoint::at("/").get(root::welcome))
        .service(Endpoint::at("/alerts").get(alerts::history).post(alerts::raise))
        .service(Endpoint::at("/alerts/history").get(alerts::history))
        .service(Endpoint::at("/alerts/summary").get(alerts::summary))
        .service(Endpoint::at("/alerts/actions").post(actions::on_many))
        .service(Endpoint::at("/alerts/{id}").get(alerts::one))
        .service(Endpoint::at("/alerts/{id}/acknowledge").post(actions::acknowledge))
        .service(Endpoint::at("/alerts/{id}/unacknowledge").post(actions::unacknowledge))
        .service(Endpoint::at("/alerts/{id}/resolve").post(actions::resolve))
        .service(Endpoint::at("/alerts/{id}/reopen").post(actions::reopen))
        .service(Endpoint::at("/alerts/{id}/notes").post(actions::annotate))
        .service(Endpoint::at("/alerts/{id}/messages").get(messages::thread))
        .service(Endpoint::at("/alerts/{id}/timeline").get(alerts::timeline))
        .service(Endpoint::at("/message").get(messages::history).post(messages::post))
        .service(Endpoint::at("/events").get(events::stream))
        .service(Endpoint::at("/health/live").get(health::live))
        .service(Endpoint::at("/health/ready").get(health::ready))
        .service(Endpoint::at("/openapi.json").get(docs::openapi))
        .service(Endpoint::at("/docs").get(docs::page))
        .service(Endpoint::at("/docs/{file}").get(docs::asset))
        .service(Endpoint::at("/redoc").get(docs::redoc))
        .default_service(web::to(anything_else));
}

/// Answers `OPTIONS *`, a question about the server itself (RFC 9110 section 9.3.7), and 404 for
/// everything else.
async fn anything_else(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    if request.method() == Method::OPTIONS && request.path() == "*" {
        return Ok(HttpResponse::Ok().insert_header((header::ALLOW, ALL_METHODS)).finish());
    }
    Err(ApiError::NotFound)
}
