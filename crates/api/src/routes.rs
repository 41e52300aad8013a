//! Which address does what.

use crate::body::BodyLimit;
use crate::controllers::{actions, alerts, docs, events, health, messages, root};
use crate::headers::ALL_METHODS;
use crate::{AnswerBudget, ApiError, Endpoint, Readiness};
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use northgate_hub::Worker;
use northgate_services::{AlertService, ChatService, ConnectionLimiter};

/// What the controllers need.
#[derive(Clone)]
pub struct ApiContext {
    /// Raising and listing alerts.
    pub alerts: AlertService,
    /// Posting and listing chat messages.
    pub chat: ChatService,
    /// The fan-out of this thread.
    pub worker: Worker,
    /// How many connections may stream.
    pub limiter: ConnectionLimiter,
    /// Whether to be sent requests.
    pub readiness: Readiness,
    /// How much memory large answers may hold.
    pub answers: AnswerBudget,
    /// The most bytes of a request's body.
    pub body_limit: BodyLimit,
}

/// Adds every address of this crate, and an answer for all others.
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

/// Answers a question about the server as a whole (`OPTIONS *`, RFC 9110 section 9.3.7), and says
/// of everything else that it is not there.
async fn anything_else(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    if request.method() == Method::OPTIONS && request.path() == "*" {
        return Ok(HttpResponse::Ok().insert_header((header::ALLOW, ALL_METHODS)).finish());
    }
    Err(ApiError::NotFound)
}
