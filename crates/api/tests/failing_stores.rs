//! Answers to HTTP clients when the store fails. A healthy server never sends these errors.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed expectation is a failed test"
)]

use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};
use actix_web::{App, test};
use async_trait::async_trait;
use northgate_api::{AnswerBudget, ApiContext, BodyLimit, Readiness, configure};
use northgate_domain::{
    Alert, AlertId, AlertQuery, AlertTimeline, ChatMessage, Deadlines, Epoch, Event, HistoryPage,
    HistoryRange, MessageId, MessageQuery, MessageText, Position, Positioned, Sender, Summary,
    Timestamp,
};
use northgate_hub::{Encoder, Hub, WindowLimits};
use northgate_schemas::{encode_event, encode_position};
use northgate_services::{
    AlertService, ChatService, ConnectionLimiter, ConnectionLimits, RaiseCoalescer, StoreProbe,
};
use northgate_storage::laws::ManualClock;
use northgate_storage::{
    AppendError, EventLog, EventStore, Outcome, QueryError, ReadError, ReadFrom, ReadModel,
    Rejection, Submission, Unavailable,
};
use serde_json::Value;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const ENCODER: Encoder = Encoder { event: encode_event, position: encode_position };

/// A store that returns the same result for every append, and an error for every query.
struct Failing(Result<Vec<Outcome>, AppendError>);

#[async_trait]
impl EventLog for Failing {
    async fn append(&self, _: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        self.0.clone()
    }

    async fn read(&self, _: ReadFrom, _: usize) -> Result<Vec<Positioned<Event>>, ReadError> {
        Err(Unavailable.into())
    }

    fn head(&self) -> watch::Receiver<Position> {
        watch::Sender::new(Position::start(Epoch::new(1))).subscribe()
    }
}

#[async_trait]
impl ReadModel for Failing {
    async fn alerts(&self, _: AlertQuery) -> Result<HistoryPage<Alert>, QueryError> {
        Err(Unavailable.into())
    }

    async fn messages(&self, _: MessageQuery) -> Result<HistoryPage<ChatMessage>, QueryError> {
        Err(Unavailable.into())
    }

    async fn alert(&self, _: AlertId) -> Result<Option<Positioned<Alert>>, Unavailable> {
        Err(Unavailable)
    }

    async fn alert_events(
        &self,
        _: AlertId,
        _: HistoryRange,
    ) -> Result<Option<AlertTimeline>, QueryError> {
        Err(Unavailable.into())
    }

    async fn summary(&self) -> Result<Summary, Unavailable> {
        Err(Unavailable)
    }

    async fn overdue(&self, _: Deadlines, _: usize) -> Result<Vec<Positioned<Alert>>, Unavailable> {
        Err(Unavailable)
    }
}

impl EventStore for Failing {
    fn is_durable(&self) -> bool {
        false
    }
}

/// The context of the controllers, over `store`.
fn context(store: Failing) -> ApiContext {
    let store = Arc::new(store);
    let (hub, _pump) = Hub::new(store.clone(), WindowLimits::default(), ENCODER);
    ApiContext {
        alerts: AlertService::new(
            store.clone(),
            store.clone(),
            RaiseCoalescer::new(store.clone(), RaiseCoalescer::WINDOW, Handle::current()),
            ManualClock::at(0),
        ),
        chat: ChatService::new(store.clone(), store.clone()),
        worker: hub.worker(),
        limiter: ConnectionLimiter::new(ConnectionLimits { total: 1, per_address: 1 }),
        readiness: Readiness::new(
            hub,
            StoreProbe::new(store),
            CancellationToken::new(),
            CancellationToken::new(),
        ),
        answers: AnswerBudget::new(0),
        body_limit: BodyLimit(1_000),
    }
}

/// Sends one request to a server over `store`. Asserts that the answer is a problem.
async fn problem(store: Failing, request: test::TestRequest, status: u16, slug: &str) -> Value {
    let context = context(store);
    let app = test::init_service(App::new().configure(|app| configure(app, context))).await;
    let answer = test::call_service(&app, request.to_request()).await;
    assert_eq!(answer.status().as_u16(), status);
    assert_eq!(answer.headers().get(CONTENT_TYPE).unwrap(), "application/problem+json");
    let has_retry_after = answer.headers().contains_key(RETRY_AFTER);
    assert_eq!(has_retry_after, slug == "unavailable", "only if nothing can be stored twice");
    let json: Value = serde_json::from_slice(&test::read_body(answer).await).unwrap();
    assert_eq!(json["status"], status);
    assert_eq!(json["type"], format!("urn:northgate:problem:{slug}"));
    json
}

fn raise() -> test::TestRequest {
    test::TestRequest::post().uri("/alerts").set_payload(r#"{"message":"a","location":"b"}"#)
}

fn say() -> test::TestRequest {
    test::TestRequest::post().uri("/message/").set_payload(r#"{"sender":"a","message":"b"}"#)
}

#[actix_web::test]
async fn an_unavailable_store_is_503() {
    for request in [raise(), say()] {
        problem(Failing(Err(AppendError::Unavailable)), request, 503, "unavailable").await;
    }
    let timeline = "/alerts/5c54e4c8-7a07-4d4f-9d0a-3f2f6c1c2d11/timeline";
    for path in ["/alerts/history", "/message/", timeline] {
        let request = test::TestRequest::get().uri(path);
        problem(Failing(Err(AppendError::Unavailable)), request, 503, "unavailable").await;
    }
}

#[actix_web::test]
async fn an_unknown_outcome_is_503_with_its_own_type() {
    let store = Failing(Err(AppendError::OutcomeUnknown));
    let json = problem(store, raise(), 503, "outcome-unknown").await;
    assert!(json["detail"].as_str().unwrap().contains("may or may not be stored"), "{json}");
}

#[actix_web::test]
async fn a_refused_command_has_the_status_of_its_reason() {
    let nothing = northgate_domain::Rejection::NoSuchAlert(AlertId(Uuid::nil()));
    for (rejection, status, slug) in [
        (Rejection::Rule(nothing), 404, "no-such-alert"),
        (Rejection::KeyReused, 422, "idempotency-key-reused"),
    ] {
        let store = Failing(Err(AppendError::Rejected { index: 0, rejection }));
        problem(store, raise(), status, slug).await;
    }
}

#[actix_web::test]
async fn an_unexpected_outcome_of_the_store_is_500() {
    let chat = Positioned {
        position: Position::start(Epoch::new(1)),
        value: Event::Chat(ChatMessage {
            id: MessageId(Uuid::nil()),
            sender: Sender::parse("a").unwrap(),
            message: MessageText::parse("b").unwrap(),
            sent_at: Timestamp::from_unix_micros(0),
            alert_id: None,
        }),
    };
    let outcome = Outcome::Appended { raised: chat.position, event: chat };
    problem(Failing(Ok(vec![outcome])), raise(), 500, "internal").await;
    problem(Failing(Ok(vec![])), say(), 500, "internal").await;
}

#[actix_web::test]
async fn a_server_whose_store_does_not_answer_is_not_ready() {
    let ready = test::TestRequest::get().uri("/health/ready");
    let json = problem(Failing(Err(AppendError::Unavailable)), ready, 503, "not-ready").await;
    assert_eq!(json["detail"], "The store does not answer.");
}

#[actix_web::test]
async fn a_stream_that_cannot_begin_sends_busy_with_status_200() {
    let context = context(Failing(Ok(vec![])));
    let app = test::init_service(App::new().configure(|app| configure(app, context))).await;
    let request = test::TestRequest::get().uri("/events?after=0000000000000002-7");
    let answer = test::call_service(&app, request.to_request()).await;
    assert_eq!(answer.status().as_u16(), 200, "after any other status a browser gives up");
    let body = test::read_body(answer).await;
    let busy = "retry: 2000\n\nretry: 5000\n\nevent: busy\ndata: {\"type\":\"busy\",\
                \"message\":\"The store cannot answer now.\"}\n\n";
    assert_eq!(std::str::from_utf8(&body).unwrap(), busy);
}

#[actix_web::test]
async fn a_server_with_a_failed_component_is_not_ready() {
    let mut context = context(Failing(Err(AppendError::Unavailable)));
    let store = Arc::new(Failing(Err(AppendError::Unavailable)));
    let (hub, _pump) = Hub::new(store.clone(), WindowLimits::default(), ENCODER);
    let failed = CancellationToken::new();
    failed.cancel();
    let probe = StoreProbe::new(store);
    context.readiness = Readiness::new(hub, probe, CancellationToken::new(), failed);
    let app = test::init_service(App::new().configure(|app| configure(app, context))).await;
    let request = test::TestRequest::get().uri("/health/ready").to_request();
    let answer = test::call_service(&app, request).await;
    assert_eq!(answer.status().as_u16(), 503);
    let json: Value = serde_json::from_slice(&test::read_body(answer).await).unwrap();
    assert_eq!(json["type"], "urn:northgate:problem:not-ready");
    assert_eq!(json["detail"], "A component of the server has failed; the server is stopping.");
}
