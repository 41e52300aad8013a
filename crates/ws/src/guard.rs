//! The client's bytes on their way to the decoder: they end where a violation begins.

use crate::scanner::{FrameScanner, Violation};
use actix_http::error::PayloadError;
use actix_web::dev::Payload;
use bytes::Bytes;
use futures_core::Stream;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// What a client sends, for two readers one after the other: the decoder, and once that has given
/// up, whoever reads the rest to nowhere.
#[derive(Clone)]
pub(crate) struct Inbound(Rc<RefCell<Payload>>);

impl Inbound {
    pub(crate) fn new(payload: Payload) -> Self {
        Self(Rc::new(RefCell::new(payload)))
    }

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }

    /// Reads what still comes to nowhere. A connection that ends while its client sends is reset
    /// by the kernel, and what was sent last, such as a Close frame, is lost.
    pub(crate) async fn discard(self) {
        while let Some(Ok(_chunk)) = poll_fn(|cx| self.poll_next(cx)).await {}
    }
}

/// What the guard found, for the session to look at once the stream has ended.
pub(crate) type Verdict = Rc<Cell<Option<Violation>>>;

/// A stream of client bytes that gives only what may be decoded, and then ends. It gives one frame
/// a turn: the decoder reads as long as there is something, and a client that sends much at once
/// must not have the thread for itself meanwhile.
pub(crate) struct FrameGuard {
    inbound: Inbound,
    /// What has come and was not given yet.
    ahead: Bytes,
    /// A frame was just given: the decoder's turn.
    pausing: bool,
    scanner: FrameScanner,
    verdict: Verdict,
}

impl FrameGuard {
    pub(crate) fn new(inbound: Inbound, max_message_bytes: usize) -> (Self, Verdict) {
        let verdict = Verdict::default();
        let guard = Self {
            inbound,
            ahead: Bytes::new(),
            pausing: false,
            scanner: FrameScanner::new(max_message_bytes),
            verdict: verdict.clone(),
        };
        (guard, verdict)
    }
}

impl Stream for FrameGuard {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.verdict.get().is_some() {
            return Poll::Ready(None);
        }
        if std::mem::take(&mut this.pausing) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        while this.ahead.is_empty() {
            match ready!(this.inbound.poll_next(cx)) {
                Some(Ok(chunk)) => this.ahead = chunk,
                other => return Poll::Ready(other),
            }
        }
        match this.scanner.scan(&this.ahead) {
            Ok(scanned) => {
                this.pausing = scanned.frame_ended;
                Poll::Ready(Some(Ok(this.ahead.split_to(scanned.len))))
            }
            Err(violation) => {
                this.verdict.set(Some(violation));
                Poll::Ready(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    /// What each poll gives, until the stream ends: the bytes, or `None` for a pause.
    fn turns(sent: Vec<u8>) -> (Vec<Option<Bytes>>, Option<Violation>) {
        let inbound = Inbound::new(Payload::from(sent));
        let (mut guard, verdict) = FrameGuard::new(inbound, 1_000);
        let mut cx = Context::from_waker(Waker::noop());
        let mut turns = Vec::new();
        while turns.len() < 100 {
            match Pin::new(&mut guard).poll_next(&mut cx) {
                Poll::Ready(Some(Ok(bytes))) => turns.push(Some(bytes)),
                Poll::Ready(Some(Err(error))) => panic!("{error}"),
                Poll::Ready(None) => break,
                Poll::Pending if verdict.get().is_none() && turns.last() == Some(&None) => break,
                Poll::Pending => turns.push(None),
            }
        }
        (turns, verdict.get())
    }

    fn ping(payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0x89, 0x80 | length, 0, 0, 0, 0], payload].concat()
    }

    #[test]
    fn a_client_that_says_much_at_once_gets_one_frame_a_turn() {
        let frames = [ping(b"one"), ping(b""), ping(b"three")];
        let (turns, verdict) = turns(frames.concat());
        let mut expected = Vec::new();
        for frame in frames {
            expected.extend([Some(Bytes::from(frame)), None]);
        }
        assert_eq!(turns, expected);
        assert_eq!(verdict, None);
    }

    #[test]
    fn nothing_of_a_frame_that_violates_is_given() {
        let unmasked = vec![0x81, 0x01, b'x'];
        let (turns, verdict) = turns([ping(b"fine"), unmasked].concat());
        assert_eq!(turns, [Some(Bytes::from(ping(b"fine"))), None]);
        assert_eq!(verdict, Some(Violation::Protocol));
    }
}
