//! Every body is read to its end, in time, whoever answers the request.
//!
//! An answer that comes before the body has come would reset the connection under a client that
//! still sends, and be lost with it. And a body that never ends must not hold a connection, nor
//! the exit of the server.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, RequestHead, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, web};
use futures_core::Stream;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// How long a body may take.
#[derive(Debug, Clone, Copy)]
pub struct BodyPatience(pub Duration);

/// The most that is read of a body that nobody wants. Who sends more has no claim on an answer.
const DISCARD_MAX: usize = 32 * 1024 * 1024;

/// Gives a body its deadline (application data), and reads what the handler left of it.
pub async fn read_bodies_to_their_end(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody + 'static>, Error> {
    let Some(length) = Length::of(request.head()) else { return next.call(request).await };
    let patience = request.app_data::<web::Data<BodyPatience>>().map_or(Duration::ZERO, |p| p.0);
    let body = Rc::new(RefCell::new(Body {
        payload: request.take_payload(),
        left: length,
        patience: Box::pin(sleep(patience)),
    }));
    let handed_on: Pin<Box<dyn Stream<Item = _>>> = Box::pin(HandedOn(body.clone()));
    request.set_payload(Payload::Stream { payload: handed_on });
    let response = next.call(request).await?;
    discard(&body).await;
    Ok(response)
}

async fn discard(body: &RefCell<Body>) {
    let mut left = DISCARD_MAX;
    while let Some(Ok(chunk)) = poll_fn(|cx| body.borrow_mut().poll_next(cx)).await {
        let Some(less) = left.checked_sub(chunk.len()) else { return };
        left = less;
    }
}

/// How much of the connection is the body.
#[derive(Clone, Copy)]
enum Length {
    /// The framework knows.
    Framed,
    /// The framework takes everything that follows for the other protocol's, and so counting is
    /// ours: a server that does not upgrade ignores the wish (RFC 9110 section 7.8).
    Counted(u64),
    /// Nothing of it: the request names no length that could be counted.
    Unknown,
}

impl Length {
    /// `None` if there is no body, or if what follows is none.
    fn of(head: &RequestHead) -> Option<Self> {
        if head.method == Method::CONNECT {
            return None;
        }
        let length = head.headers().get(header::CONTENT_LENGTH);
        let chunked = head.headers().contains_key(header::TRANSFER_ENCODING);
        if !head.headers().contains_key(header::UPGRADE) {
            return (length.is_some() || chunked).then_some(Self::Framed);
        }
        if head.method == Method::GET {
            return None;
        }
        let count = length.and_then(|length| length.to_str().ok()?.parse().ok());
        Some(match count {
            Some(count) if !chunked => Self::Counted(count),
            None if !chunked => Self::Counted(0),
            _ => Self::Unknown,
        })
    }
}

/// What is left of a body.
struct Body {
    payload: Payload,
    left: Length,
    patience: Pin<Box<Sleep>>,
}

impl Body {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        match self.left {
            Length::Counted(0) => return Poll::Ready(None),
            Length::Unknown => return Poll::Ready(Some(Err(PayloadError::Incomplete(None)))),
            Length::Counted(_) | Length::Framed => {}
        }
        if self.patience.as_mut().poll(cx).is_ready() {
            let late = io::Error::from(io::ErrorKind::TimedOut);
            return Poll::Ready(Some(Err(PayloadError::Io(late))));
        }
        let chunk = ready!(Pin::new(&mut self.payload).poll_next(cx));
        let (Length::Counted(left), Some(Ok(bytes))) = (&mut self.left, &chunk) else {
            return Poll::Ready(chunk);
        };
        let taken = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
        *left -= taken as u64;
        Poll::Ready(Some(Ok(bytes.slice(..taken))))
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
