//! Which address does what.

use crate::body::BodyLimit;
use crate::controllers::{actions, alerts, docs, events, health, messages, root};
use crate::{ApiError, Endpoint, Readiness};
use actix_web::{HttpResponse, web};
use northgate_hub::{Seats, Worker};
use northgate_services::{AlertService, ChatService};

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
    pub seats: Seats,
    /// Whether to be sent requests.
    pub readiness: Readiness,
    /// The most bytes of a request's body.
    pub body_limit: BodyLimit,
}

/// Adds every address of this crate, and an answer for all others.
pub fn configure(app: &mut web::ServiceConfig, context: ApiContext) {
    app.app_data(web::Data::new(context.alerts))
        .app_data(web::Data::new(context.chat))
        .app_data(web::Data::new(context.worker))
        .app_data(web::Data::new(context.seats))
        .app_data(web::Data::new(context.readiness))
        .app_data(context.body_limit)
        .service(Endpoint::at("/").get(root::welcome).into_resource())
        .service(Endpoint::at("/alerts").get(alerts::history).post(alerts::raise).into_resource())
        .service(Endpoint::at("/alerts/history").get(alerts::history).into_resource())
        .service(Endpoint::at("/alerts/summary").get(alerts::summary).into_resource())
        .service(Endpoint::at("/alerts/actions").post(actions::on_many).into_resource())
        .service(Endpoint::at("/alerts/{id}").get(alerts::one).into_resource())
        .service(
            Endpoint::at("/alerts/{id}/acknowledge").post(actions::acknowledge).into_resource(),
        )
        .service(
            Endpoint::at("/alerts/{id}/unacknowledge").post(actions::unacknowledge).into_resource(),
        )
        .service(Endpoint::at("/alerts/{id}/resolve").post(actions::resolve).into_resource())
        .service(Endpoint::at("/alerts/{id}/reopen").post(actions::reopen).into_resource())
        .service(Endpoint::at("/alerts/{id}/notes").post(actions::annotate).into_resource())
        .service(Endpoint::at("/alerts/{id}/messages").get(messages::thread).into_resource())
        .service(
            Endpoint::at("/message").get(messages::history).post(messages::post).into_resource(),
        )
        .service(Endpoint::at("/events").get(events::stream).into_resource())
        .service(Endpoint::at("/health/live").get(health::live).into_resource())
        .service(Endpoint::at("/health/ready").get(health::ready).into_resource())
        .service(Endpoint::at("/openapi.json").get(docs::openapi).into_resource())
        .service(Endpoint::at("/docs").get(docs::page).into_resource())
        .service(Endpoint::at("/docs/{file}").get(docs::asset).into_resource())
        .service(Endpoint::at("/redoc").get(docs::redoc).into_resource())
        .default_service(web::to(async || Err::<HttpResponse, _>(ApiError::NotFound)));
}
