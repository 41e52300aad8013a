//! The sending half of a connection: the body of the 101 response.

use crate::close::{CloseCode, Closing, LINGER};
use actix_http::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;
use northgate_hub::{Cursor, End, Step};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

/// Gives control frames first, then events, and at the end one Close frame.
pub(crate) struct Feed {
    /// What the library sends: pongs and complaints. It ends with the reading half, and dropping
    /// it ends the reading half.
    inner: BoxBody,
    /// How the reading half wants this to end; dropped without a word when the client is gone.
    closing: oneshot::Receiver<Closing>,
    state: State,
}

enum State {
    Open(Cursor),
    /// The Close frame was given; the client has a moment to end its half.
    Lingering(Pin<Box<Sleep>>),
    Ended,
}

impl Feed {
    pub(crate) fn new(inner: BoxBody, cursor: Cursor, closing: oneshot::Receiver<Closing>) -> Self {
        Self { inner, closing, state: State::Open(cursor) }
    }

    /// Gives the Close frame, and lingers unless the client has said its last word already.
    fn close(&mut self, closing: Closing) -> Bytes {
        self.state = match closing {
            Closing::Echo(_) => State::Ended,
            Closing::With(_) => State::Lingering(Box::pin(sleep(LINGER))),
        };
        closing.frame()
    }

    /// How the cursor's end is told to the client; `None` ends without a word.
    fn closing_of(end: End) -> Option<Closing> {
        match end {
            End::Drained => Some(Closing::With(CloseCode::GoingAway)),
            End::TooFarBehind => {
                tracing::info!("closed a connection that was too far behind");
                Some(Closing::With(CloseCode::TooFarBehind))
            }
            End::Cut => None,
        }
    }
}

impl MessageBody for Feed {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        let cursor = match &mut this.state {
            State::Open(cursor) => cursor,
            State::Lingering(patience) => {
                // No control frame may follow a Close (RFC 6455 section 5.5.1).
                while let Poll::Ready(control) = Pin::new(&mut this.inner).poll_next(cx) {
                    if control.is_none() {
                        this.state = State::Ended;
                        return Poll::Ready(None);
                    }
                }
                ready!(patience.as_mut().poll(cx));
                this.state = State::Ended;
                return Poll::Ready(None);
            }
            State::Ended => return Poll::Ready(None),
        };
        // The reading half says how it ends before it does: look for that word first.
        match Pin::new(&mut this.closing).poll(cx) {
            Poll::Ready(Ok(closing)) => return Poll::Ready(Some(Ok(this.close(closing)))),
            Poll::Ready(Err(_gone)) => {
                this.state = State::Ended;
                return Poll::Ready(None);
            }
            Poll::Pending => {}
        }
        if let Poll::Ready(Some(control)) = Pin::new(&mut this.inner).poll_next(cx) {
            return Poll::Ready(Some(control));
        }
        let end = match ready!(cursor.poll_next(cx)) {
            Step::Frame(frame) => return Poll::Ready(Some(Ok(frame.websocket().clone()))),
            Step::End(end) => end,
        };
        if let Some(closing) = Self::closing_of(end) {
            return Poll::Ready(Some(Ok(this.close(closing))));
        }
        this.state = State::Ended;
        Poll::Ready(None)
    }
}
