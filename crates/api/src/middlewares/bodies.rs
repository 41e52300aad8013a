//! Every body is read to its end, in time, whoever answers the request.
//!
//! An answer that comes before the body has come would reset the connection under a client that
//! still sends, and be lost with it. And a body that never ends must not hold a connection, nor
//! the exit of the server.

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

/// How long a body may take.
#[derive(Debug, Clone, Copy)]
pub struct BodyPatience(pub Duration);

/// The most that is read of a body that nobody wants. Who sends more has no claim on an answer.
const DISCARD_MAX: usize = 32 * 1024 * 1024;

/// Whether the client of a connection waits for `100 Continue` before it sends a body (RFC 9110
/// section 10.1.1): data of the connection, shared by its stream, which sees heads and sends the
/// `100 Continue`, and by the body of the present request, which is the first to know whether
/// anybody wants it. A request that its head decides is answered without it.
#[derive(Debug, Clone, Default)]
pub struct Invitation(Rc<Cell<Invited>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Invited {
    /// Nobody waits.
    #[default]
    Unasked,
    /// The client waits.
    Awaited,
    /// The client waits, and somebody wants the body.
    Wanted,
}

impl Invitation {
    /// Notes that the client waits.
    pub fn begin(&self) {
        self.0.set(Invited::Awaited);
    }

    /// Notes that the client does not wait any more: it sends its body, or was answered.
    pub fn settle(&self) {
        self.0.set(Invited::Unasked);
    }

    /// Whether `100 Continue` is to be sent.
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

/// Gives a body its deadline (application data), and reads what the handler left of it.
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
    // Who is answered is not invited any more.
    invitation.settle();
    if !(is_sent && is_read_to_its_end(&body).await) {
        // What comes next on the connection may be the rest of this body.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}

/// Reads what is left of a body, and says whether that is all of it.
async fn is_read_to_its_end(body: &RefCell<Body>) -> bool {
    let mut left = DISCARD_MAX;
    while let Some(chunk) = poll_fn(|cx| body.borrow_mut().poll_next(cx)).await {
        let less = chunk.ok().and_then(|chunk| left.checked_sub(chunk.len()));
        let Some(less) = less else { return false };
        left = less;
    }
    !body.borrow().has_failed
}

/// Whether what follows a head is a body.
fn has_body(head: &RequestHead) -> bool {
    let headers = head.headers();
    let is_framed = headers.contains_key(header::CONTENT_LENGTH)
        || headers.contains_key(header::TRANSFER_ENCODING);
    // Behind these the framework takes everything for another protocol's.
    is_framed && head.method != Method::CONNECT && !headers.contains_key(header::UPGRADE)
}

/// What is left of a body.
struct Body {
    payload: Payload,
    invitation: Invitation,
    patience: Pin<Box<Sleep>>,
    /// Whether it came broken, or not in time.
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

/// The handler's view of the body.
struct HandedOn(Rc<RefCell<Body>>);

impl Stream for HandedOn {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.borrow_mut().poll_next(cx)
    }
}
