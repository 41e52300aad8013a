//! A server that echoes every message, for suites that test conformance to RFC 6455. The
//! handshakes, the frame guard, the reading half and the sending half are those of the product.
//!
//! `cargo run --release -p northgate-ws --example echo -- 9001`, then `ws://127.0.0.1:9001/ws`.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use northgate_domain::Epoch;
use northgate_hub::{Encoder, Hub, WindowLimits};
use northgate_schemas::{encode_event, encode_position};
use northgate_services::{
    AlertService, ChatService, ConnectionLimiter, ConnectionLimits, RaiseCoalescer,
};
use northgate_storage::laws::ManualClock;
use northgate_storage::{Capacity, MemoryStore};
use northgate_ws::{
    ChatLimitSettings, ClientMessage, HeartbeatSettings, MessageHandler, Reply, SocketContext,
    upgrade_with,
};
use std::error::Error;
use std::future::{Future, ready};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// Size limit of a message. Suites send messages of up to 16 MiB, in fragments as small as 64
/// bytes; the guard accepts one fragment for each 64 bytes of this limit.
const MAX_MESSAGE_BYTES: usize = 32 * 1024 * 1024;

struct Echo;

impl MessageHandler for Echo {
    fn handle(&mut self, message: ClientMessage) -> impl Future<Output = Reply> {
        ready(Reply::Send(message))
    }
}

async fn echo(
    request: HttpRequest,
    payload: web::Payload,
    context: web::Data<SocketContext>,
) -> actix_web::Result<HttpResponse> {
    upgrade_with(&request, payload, &context, Echo).await
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: echo PORT")?.parse()?;
    let clock = ManualClock::at(0);
    let store = Arc::new(MemoryStore::new(Epoch::new(0), Capacity::default(), clock.meta()));
    // Each connection starts at the head of an empty log, so it never receives an event.
    let encoder = Encoder { event: encode_event, position: encode_position };
    let (hub, _pump) = Hub::new(store.clone(), WindowLimits::default(), encoder);
    let limiter = ConnectionLimiter::new(ConnectionLimits { total: 1_000, per_address: 1_000 });
    let app = move || {
        App::new().route("/ws", web::get().to(echo)).app_data(web::Data::new(SocketContext {
            worker: hub.worker(),
            limiter: limiter.clone(),
            chat: ChatService::new(store.clone(), store.clone()),
            alerts: AlertService::new(
                store.clone(),
                store.clone(),
                RaiseCoalescer::new(store.clone(), Duration::ZERO, Handle::current()),
                clock.clone(),
            ),
            chat_limit: ChatLimitSettings::default(),
            tasks: TaskTracker::new(),
            max_message_bytes: MAX_MESSAGE_BYTES,
            heartbeat: HeartbeatSettings {
                ping_after: Duration::from_secs(25),
                pong_within: Duration::from_secs(10),
            },
        }))
    };
    // These settings affect how connections end, so they equal the product's settings.
    let server = HttpServer::new(app)
        .client_disconnect_timeout(Duration::ZERO)
        .tcp_nodelay(true)
        .h1_allow_half_closed(false)
        .bind(("127.0.0.1", port))?;
    server.run().await?;
    Ok(())
}
