//! A server with a transport of its own: `GET /lines` streams events as lines of JSON.

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse, Result, error::ErrorServiceUnavailable};
use northgate_api::Endpoint;
use northgate_domain::Subscription;
use northgate_hub::{Cursor, Step, Worker};
use northgate_server::run_program;
use northgate_services::{ConnectionLimiter, ConnectionPermit};
use std::convert::Infallible;
use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context, Poll, ready};

fn main() -> ExitCode {
    run_program(|builder| {
        builder.routes(|app| {
            app.service(Endpoint::at("/lines").get(lines));
        })
    })
}

/// Opens a stream of all events from now on. A full server answers 503.
async fn lines(
    request: HttpRequest,
    worker: web::Data<Worker>,
    limiter: web::Data<ConnectionLimiter>,
) -> Result<HttpResponse> {
    let address = request.peer_addr().map(|peer| peer.ip());
    let permit = limiter.acquire(address).map_err(ErrorServiceUnavailable)?;
    let cursor = worker.stream(Subscription::default(), None);
    let body = Lines { cursor, _permit: permit };
    Ok(HttpResponse::Ok().content_type("application/x-ndjson").body(body))
}

/// The body of the answer. The HTTP library polls the body when the socket can accept more bytes.
struct Lines {
    cursor: Cursor,
    /// Counts the connection while it is open.
    _permit: ConnectionPermit,
}

impl MessageBody for Lines {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        loop {
            match ready!(self.cursor.poll_next(cx)) {
                Step::Frame(frame) => {
                    // The first line of these bytes is the event's JSON, and the next line is its
                    // id.
                    let bytes = frame.into_event_stream();
                    let length = bytes.iter().position(|byte| *byte == b'\n');
                    let line = length.map(|length| bytes.slice(..=length));
                    return Poll::Ready(line.map(Ok));
                }
                Step::Notice(_) => {}
                // The value states the reason: the server stops, or the client was too slow.
                Step::End(_) => return Poll::Ready(None),
            }
        }
    }
}
