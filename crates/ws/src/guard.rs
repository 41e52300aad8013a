//! The client's bytes on their way to the decoder: they end where a violation begins.

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

/// A stream of client bytes that gives only what may be decoded, and then ends. It gives one frame
/// a turn: the decoder reads as long as there is something, and a client that sends much at once
/// must not have the thread for itself meanwhile.
///
/// Clones are handles to the same stream: the decoder has one, and the connection another, for the
/// time when the decoder has given up.
#[derive(Clone)]
pub(crate) struct FrameGuard(Rc<RefCell<Inbound>>);

struct Inbound {
    payload: Payload,
    /// What has come and was not given yet.
    ahead: Bytes,
    /// A frame was just given: the decoder's turn.
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

    /// Why the stream has ended, if not because the client's has.
    pub(crate) fn violation(&self) -> Option<Violation> {
        self.0.borrow().violation
    }

    /// Reads what still comes to nowhere, until the client has said Close and nothing after it. A
    /// connection that ends while its client sends is reset by the kernel, and what was sent last,
    /// such as a Close frame, is lost.
    pub(crate) async fn discard(self) {
        poll_fn(|cx| self.0.borrow_mut().poll_discard(cx)).await;
    }
}

impl Inbound {
    /// Makes sure that there is something ahead. `None` is the end of the client's stream.
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

    /// What each poll gives, until the stream ends: the bytes, or `None` for a pause.
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

    /// A client that sends these chunks, and then is silent.
    struct Silent(VecDeque<Bytes>);

    impl Stream for Silent {
        type Item = Result<Bytes, PayloadError>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.0.pop_front().map_or(Poll::Pending, |chunk| Poll::Ready(Some(Ok(chunk))))
        }
    }

    /// Whether a connection that was closed for what comes first ends once the rest has come.
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
    fn a_client_that_answers_the_close_is_not_waited_for_any_longer() {
        let bad = [0xC1, 0x81, 0, 0, 0, 0, b'x'];
        let close = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xEA];
        assert!(ends_after(&[&bad, &close]));
        assert!(ends_after(&[&bad[..1], &[&bad[1..], &close[..3]].concat(), &close[3..]]));
        assert!(ends_after(&[&[&bad[..], &ping(b"x"), &close].concat()]));
        assert!(ends_after(&[&close]), "what was closed for was a Close already");
        assert!(!ends_after(&[&bad]), "the answer has not come yet");
        assert!(!ends_after(&[&bad, &close[..7]]));
        assert!(!ends_after(&[&close, &ping(b"x")]), "a client that still sends is given its time");
    }
}
