//! The sending half of a connection: the body of the 101 response.

use crate::close::{CloseCode, Closing};
use actix_http::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;
use northgate_hub::{Cursor, End, Step};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

/// Gives control frames first, then events, and at the end one Close frame.
pub(crate) struct Feed {
    /// What the library sends: pongs and complaints. Dropping it ends the client's stream.
    inner: BoxBody,
    cursor: Cursor,
    /// How the reading half wants this to end; dropped when the client is gone.
    closing: oneshot::Receiver<Closing>,
    ended: bool,
}

impl Feed {
    pub(crate) fn new(inner: BoxBody, cursor: Cursor, closing: oneshot::Receiver<Closing>) -> Self {
        Self { inner, cursor, closing, ended: false }
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

    /// The last chunk of the body, if there is one.
    fn finish(&mut self, closing: Option<Closing>) -> Option<Bytes> {
        self.ended = true;
        closing.map(Closing::frame)
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
        if this.ended {
            return Poll::Ready(None);
        }
        if let Poll::Ready(Some(control)) = Pin::new(&mut this.inner).poll_next(cx) {
            return Poll::Ready(Some(control));
        }
        if let Poll::Ready(closing) = Pin::new(&mut this.closing).poll(cx) {
            return Poll::Ready(this.finish(closing.ok()).map(Ok));
        }
        Poll::Ready(match ready!(this.cursor.poll_next(cx)) {
            Step::Frame(frame) => Some(Ok(frame.websocket().clone())),
            Step::End(end) => this.finish(Self::closing_of(end)).map(Ok),
        })
    }
}
