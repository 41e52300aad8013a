//! Reads every request body to its end within a time limit, even if the handler does not read the
//! body.
//!
//! If the server closed the connection after an answer while the client still sends, the connection
//! would be reset and the answer lost. A body that never ends must not block a connection or the
//! exit of the server.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, RequestHead, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::{ConnectionType, Method, header};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, web};
use futures_core::Stream;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// Upper bound of the time for one body.
#[derive(Debug, Clone, Copy)]
pub struct BodyPatience(pub Duration);

/// Upper bound of bytes that are read from a body and discarded. A client that sends more may lose
/// the answer.
const DISCARD_MAX: usize = 32 * 1024 * 1024;

/// Whether the client of a connection waits for `100 Continue` before it sends a body (RFC 9110
/// section 10.1.1). The value is connection data with two users. The stream of the connection reads
/// heads and sends `100 Continue`. The body of the current request records that a handler wants to
/// read the body. A request that is answered from its head alone receives no `100 Continue`.
#[derive(Debug, Clone, Default)]
pub struct Invitation(Rc<Cell<Invited>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Invited {
    /// The client does not wait.
    #[default]
    Unasked,
    /// The client waits.
    Awaited,
    /// The client waits, and a handler wants to read the body.
    Wanted,
}

impl Invitation {
    /// Records that the client waits.
    pub fn begin(&self) {
        self.0.set(Invited::Awaited);
    }

    /// Records that the client no longer waits, because it sends its body or was answered.
    pub fn settle(&self) {
        self.0.set(Invited::Unasked);
    }

    /// Whether `100 Continue` should be sent.
    pub fn is_wanted(&self) -> bool {
        self.0.get() == Invited::Wanted
    }

    fn want(&self) {
        if self.0.get() == Invited::Awaited {
            self.0.set(Invited::Wanted);
        }
    }

    fn is_awaited(&self) -> bool {
        self.0.get() == Invited::Awaited
    }
}

/// Limits the time for a body (the limit is application data), and reads the bytes that the handler
/// did not read.
pub async fn read_bodies_to_their_end(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody + 'static>, Error> {
    if !has_body(request.head()) {
        return next.call(request).await;
    }
    let patience = request.app_data::<web::Data<BodyPatience>>().map_or(Duration::ZERO, |p| p.0);
    let invitation = request.conn_data::<Invitation>().cloned().unwrap_or_default();
    let body = Rc::new(RefCell::new(Body {
        payload: request.take_payload(),
        invitation: invitation.clone(),
        patience: Box::pin(sleep(patience)),
        has_failed: false,
    }));
    let handed_on: Pin<Box<dyn Stream<Item = _>>> = Box::pin(HandedOn(body.clone()));
    request.set_payload(Payload::Stream { payload: handed_on });
    let mut response = next.call(request).await?;
    let is_sent = !invitation.is_awaited();
    // After an answer, `100 Continue` must not be sent.
    invitation.settle();
    if !(is_sent && is_read_to_its_end(&body).await) {
        // The next bytes on the connection may belong to this body.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}

/// Reads the rest of a body. Returns whether the body arrived completely and without an error.
async fn is_read_to_its_end(body: &RefCell<Body>) -> bool {
    let mut left = DISCARD_MAX;
    while let Some(chunk) = poll_fn(|cx| body.borrow_mut().poll_next(cx)).await {
        let less = chunk.ok().and_then(|chunk| left.checked_sub(chunk.len()));
        let Some(less) = less else { return false };
        left = less;
    }
    !body.borrow().has_failed
}

/// Whether a body follows a request head.
fn has_body(head: &RequestHead) -> bool {
    let headers = head.headers();
    let is_framed = headers.contains_key(header::CONTENT_LENGTH)
        || headers.contains_key(header::TRANSFER_ENCODING);
    // After these requests the framework treats all bytes as another protocol.
    is_framed && head.method != Method::CONNECT && !headers.contains_key(header::UPGRADE)
}

/// The unread rest of a body.
struct Body {
    payload: Payload,
    invitation: Invitation,
    patience: Pin<Box<Sleep>>,
    /// Whether the body was malformed or late.
    has_failed: bool,
}

impl Body {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        let polled = self.poll_payload(cx);
        self.has_failed |= matches!(polled, Poll::Ready(Some(Err(_))));
        polled
    }

    fn poll_payload(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        if self.patience.as_mut().poll(cx).is_ready() {
            let late = io::Error::from(io::ErrorKind::TimedOut);
            return Poll::Ready(Some(Err(PayloadError::Io(late))));
        }
        let polled = Pin::new(&mut self.payload).poll_next(cx);
        if polled.is_pending() {
            self.invitation.want();
        }
        polled
    }
}

/// The handler's access to the body.
struct HandedOn(Rc<RefCell<Body>>);

impl Stream for HandedOn {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.borrow_mut().poll_next(cx)
    }
}
