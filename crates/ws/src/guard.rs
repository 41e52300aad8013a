//! The client's bytes on their way to the decoder: they end where a violation begins.

use crate::scanner::{FrameScanner, Violation};
use actix_http::error::PayloadError;
use bytes::Bytes;
use futures_core::Stream;
use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// What the guard found, for the session to look at once the stream has ended.
pub(crate) type Verdict<S> = Rc<Cell<Option<Refused<S>>>>;

/// A violation, and the stream that it was found in: what still comes is not to be decoded, but it
/// must be read, or the kernel would reset the connection and take the Close frame with it.
pub(crate) struct Refused<S> {
    pub(crate) violation: Violation,
    pub(crate) rest: S,
}

/// A stream of client bytes that gives only what may be decoded, and then ends.
pub(crate) struct FrameGuard<S> {
    /// `None` once a violation was found.
    inner: Option<S>,
    scanner: FrameScanner,
    verdict: Verdict<S>,
}

impl<S> FrameGuard<S> {
    pub(crate) fn new(inner: S, max_message_bytes: usize) -> (Self, Verdict<S>) {
        let verdict = Verdict::default();
        let scanner = FrameScanner::new(max_message_bytes);
        (Self { inner: Some(inner), scanner, verdict: verdict.clone() }, verdict)
    }
}

impl<S> Stream for FrameGuard<S>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(None);
        };
        let chunk = match ready!(Pin::new(inner).poll_next(cx)) {
            Some(Ok(chunk)) => chunk,
            other => return Poll::Ready(other),
        };
        Poll::Ready(match this.scanner.scan(&chunk) {
            Ok(()) => Some(Ok(chunk)),
            Err((allowed, violation)) => {
                let refused = this.inner.take().map(|rest| Refused { violation, rest });
                this.verdict.set(refused);
                Some(Ok(chunk.slice(..allowed)))
            }
        })
    }
}
