//! A filter before the decoder: the client's byte stream, which ends where a violation begins.

use crate::scanner::{FrameScanner, Violation};
use actix_http::error::PayloadError;
use actix_web::dev::Payload;
use bytes::Bytes;
use futures_core::Stream;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// The client's byte stream up to the first violation. After each frame, the stream returns
/// `Pending` once. Otherwise the decoder would read while bytes are available, and a client that
/// sends many frames together would occupy the thread.
///
/// Clones are handles to the same stream. The decoder has one handle. The connection has another
/// handle, to read the rest after the decoder has stopped.
#[derive(Clone)]
pub(crate) struct FrameGuard(Rc<RefCell<Inbound>>);

struct Inbound {
    payload: Payload,
    /// Bytes that were received and not returned yet.
    ahead: Bytes,
    /// Whether a frame has just ended, so that the next poll returns `Pending`.
    pausing: bool,
    scanner: FrameScanner,
    violation: Option<Violation>,
}

impl FrameGuard {
    pub(crate) fn new(payload: Payload, max_message_bytes: usize) -> Self {
        Self(Rc::new(RefCell::new(Inbound {
            payload,
            ahead: Bytes::new(),
            pausing: false,
            scanner: FrameScanner::new(max_message_bytes),
            violation: None,
        })))
    }

    /// Returns the violation that ended the stream, if one did.
    pub(crate) fn violation(&self) -> Option<Violation> {
        self.0.borrow().violation
    }

    /// Reads and discards the client's bytes until the last byte received ends a Close frame, or
    /// the stream ends. If the server ended a connection while the client still sends, the kernel
    /// would reset the connection, and the client would lose the last frames, for example the
    /// server's Close frame.
    pub(crate) async fn discard(self) {
        poll_fn(|cx| self.0.borrow_mut().poll_discard(cx)).await;
    }
}

impl Inbound {
    /// Reads until `ahead` is not empty. `None` means the end of the client's stream.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(), PayloadError>>> {
        while self.ahead.is_empty() {
            match ready!(Pin::new(&mut self.payload).poll_next(cx)?) {
                Some(chunk) => self.ahead = chunk,
                None => return Poll::Ready(None),
            }
        }
        Poll::Ready(Some(Ok(())))
    }

    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.poll_fill(cx) {
                Poll::Ready(Some(Ok(()))) => {}
                Poll::Ready(_ended) => return Poll::Ready(()),
                Poll::Pending if self.scanner.is_after_close() => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
            self.scanner.skip(&self.ahead);
            self.ahead.clear();
        }
    }
}

impl Stream for FrameGuard {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self.0.borrow_mut();
        if this.violation.is_some() {
            return Poll::Ready(None);
        }
        if std::mem::take(&mut this.pausing) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if ready!(this.poll_fill(cx)?).is_none() {
            return Poll::Ready(None);
        }
        match this.scanner.scan(&this.ahead) {
            Ok(scanned) => {
                this.pausing = scanned.frame_ended;
                Poll::Ready(Some(Ok(this.ahead.split_to(scanned.len))))
            }
            Err(violation) => {
                this.violation = Some(violation);
                Poll::Ready(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_http::BoxedPayloadStream;
    use std::collections::VecDeque;
    use std::future::Future;
    use std::pin::pin;
    use std::task::Waker;

    /// Returns the result of each poll until the stream ends: the bytes, or `None` for a pause.
    fn turns(sent: Vec<u8>) -> (Vec<Option<Bytes>>, Option<Violation>) {
        let mut guard = FrameGuard::new(Payload::from(sent), 1_000);
        let mut cx = Context::from_waker(Waker::noop());
        let mut turns = Vec::new();
        while turns.len() < 100 {
            match Pin::new(&mut guard).poll_next(&mut cx) {
                Poll::Ready(Some(Ok(bytes))) => turns.push(Some(bytes)),
                Poll::Ready(Some(Err(error))) => panic!("{error}"),
                Poll::Ready(None) => break,
                Poll::Pending if turns.last() == Some(&None) => break,
                Poll::Pending => turns.push(None),
            }
        }
        (turns, guard.violation())
    }

    fn ping(payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0x89, 0x80 | length, 0, 0, 0, 0], payload].concat()
    }

    #[test]
    fn the_guard_pauses_after_every_frame() {
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
    fn no_byte_of_a_violating_frame_is_returned() {
        let unmasked = vec![0x81, 0x01, b'x'];
        let (turns, verdict) = turns([ping(b"fine"), unmasked].concat());
        assert_eq!(turns, [Some(Bytes::from(ping(b"fine"))), None]);
        assert_eq!(verdict, Some(Violation::Protocol));
    }

    /// A client that sends these chunks and then stays silent.
    struct Silent(VecDeque<Bytes>);

    impl Stream for Silent {
        type Item = Result<Bytes, PayloadError>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.0.pop_front().map_or(Poll::Pending, |chunk| Poll::Ready(Some(Ok(chunk))))
        }
    }

    /// Returns whether a connection that is closed because of the first chunk ends after the other
    /// chunks.
    fn ends_after(chunks: &[&[u8]]) -> bool {
        let chunks = chunks.iter().map(|chunk| Bytes::copy_from_slice(chunk)).collect();
        let payload: BoxedPayloadStream = Box::pin(Silent(chunks));
        let mut guard = FrameGuard::new(Payload::Stream { payload }, 1_000);
        let mut cx = Context::from_waker(Waker::noop());
        let _ = Pin::new(&mut guard).poll_next(&mut cx);
        let ended = pin!(guard.discard()).poll(&mut cx);
        ended.is_ready()
    }

    #[test]
    fn discarding_ends_when_the_client_answers_the_close() {
        let bad = [0xC1, 0x81, 0, 0, 0, 0, b'x'];
        let close = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xEA];
        assert!(ends_after(&[&bad, &close]));
        assert!(ends_after(&[&bad[..1], &[&bad[1..], &close[..3]].concat(), &close[3..]]));
        assert!(ends_after(&[&[&bad[..], &ping(b"x"), &close].concat()]));
        assert!(ends_after(&[&close]), "the first chunk is already a Close");
        assert!(!ends_after(&[&bad]), "the client has not answered yet");
        assert!(!ends_after(&[&bad, &close[..7]]));
        assert!(!ends_after(&[&close, &ping(b"x")]), "the client still sends");
    }
}
