//! The sending half of a connection: the body of the 101 response.

use crate::close::{CloseCode, Closing, LINGER};
use actix_http::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;
use northgate_hub::{Cursor, End, Step, return_after, text_frame};
use northgate_schemas::notice_json;
use northgate_services::ConnectionPermit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Sleep, sleep};

/// Sends control frames and replies first, then events, and finally one Close frame.
pub(crate) struct OutgoingBody {
    /// Frames from `actix-ws`: pings, pongs and replies. This stream ends when the reading half
    /// ends, and dropping this stream ends the reading half.
    inner: BoxBody,
    /// Receives the [`Closing`] from the reading half. If the client disconnected, the sender is
    /// dropped without a value.
    closing: oneshot::Receiver<Closing>,
    /// Notified when all frames in the queue of `actix-ws` were passed to the HTTP writer, and when
    /// this body is dropped.
    taken: Rc<Notify>,
    state: State,
}

enum State {
    Open {
        cursor: Cursor,
        /// Released when the stream ends, which can be before the connection ends.
        _permit: ConnectionPermit,
    },
    /// The Close frame was sent. The client has the time [`LINGER`] to end its half.
    Lingering(Pin<Box<Sleep>>),
    Ended,
}

impl OutgoingBody {
    pub(crate) fn new(
        inner: BoxBody,
        cursor: Cursor,
        permit: ConnectionPermit,
        closing: oneshot::Receiver<Closing>,
        taken: Rc<Notify>,
    ) -> Self {
        Self { inner, closing, taken, state: State::Open { cursor, _permit: permit } }
    }

    /// Returns the Close frame. The body then lingers, unless the client has already sent a Close
    /// frame.
    fn close(&mut self, closing: Closing) -> Bytes {
        self.state = match closing {
            Closing::Echo(_) => State::Ended,
            Closing::With(_) => State::Lingering(Box::pin(sleep(LINGER))),
        };
        closing.frame()
    }

    /// Returns the [`Closing`] for an end of the cursor; `None` ends the connection without a Close
    /// frame.
    fn closing_of(end: End) -> Option<Closing> {
        match end {
            End::Drained { turn } => {
                Some(Closing::With(CloseCode::GoingAway { retry_after: return_after(turn) }))
            }
            End::TooFarBehind => {
                tracing::info!("closed a connection that was too far behind");
                Some(Closing::With(CloseCode::TooFarBehind))
            }
            End::Unavailable => Some(Closing::With(CloseCode::TryAgainLater)),
            End::Cut => None,
        }
    }
}

impl Drop for OutgoingBody {
    fn drop(&mut self) {
        self.taken.notify_one();
    }
}

impl MessageBody for OutgoingBody {
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
            State::Open { cursor, .. } => cursor,
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
        // The reading half sends its `Closing` before it ends, so check for the `Closing` first.
        match Pin::new(&mut this.closing).poll(cx) {
            Poll::Ready(Ok(closing)) => return Poll::Ready(Some(Ok(this.close(closing)))),
            Poll::Ready(Err(_gone)) => {
                this.state = State::Ended;
                return Poll::Ready(None);
            }
            Poll::Pending => {}
        }
        if let Poll::Ready(Some(control)) = Pin::new(&mut this.inner).poll_next(cx) {
            this.taken.notify_one();
            return Poll::Ready(Some(control));
        }
        let end = match ready!(cursor.poll_next(cx)) {
            Step::Frame(frame) => return Poll::Ready(Some(Ok(frame.into_websocket()))),
            Step::Notice(notice) => {
                return Poll::Ready(Some(Ok(text_frame(&notice_json(&notice)))));
            }
            Step::End(end) => end,
        };
        if let Some(closing) = Self::closing_of(end) {
            return Poll::Ready(Some(Ok(this.close(closing))));
        }
        this.state = State::Ended;
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use northgate_domain::{Command, Epoch, MessageText, PostMessage, Sender};
    use northgate_hub::{Encoder, Hub, WindowLimits, Worker};
    use northgate_schemas::{encode_event, encode_position};
    use northgate_services::{ConnectionLimiter, ConnectionLimits};
    use northgate_storage::laws::ManualClock;
    use northgate_storage::{Capacity, EventLog, MemoryStore, Submission};
    use std::collections::VecDeque;
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::task::Waker;
    use tokio::task::{LocalSet, yield_now};
    use tokio::time::Instant;
    use tokio_util::sync::CancellationToken;
    use tokio_util::task::TaskTracker;

    const ENCODER: Encoder = Encoder { event: encode_event, position: encode_position };

    /// Replaces the stream of `actix-ws`: returns these frames, and then stays pending or ends.
    struct Control {
        frames: VecDeque<&'static [u8]>,
        ends: bool,
    }

    impl MessageBody for Control {
        type Error = std::convert::Infallible;

        fn size(&self) -> BodySize {
            BodySize::Stream
        }

        fn poll_next(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Bytes, Self::Error>>> {
            match self.frames.pop_front() {
                Some(frame) => Poll::Ready(Some(Ok(Bytes::from_static(frame)))),
                None if self.ends => Poll::Ready(None),
                None => Poll::Pending,
            }
        }
    }

    /// An outgoing body on a hub whose log contains two events that were not sent yet.
    struct Scene {
        hub: Hub,
        worker: Worker,
        limiter: ConnectionLimiter,
        close: Option<oneshot::Sender<Closing>>,
        feed: OutgoingBody,
    }

    impl Scene {
        async fn new(frames: &[&'static [u8]], ends: bool) -> Self {
            let meta = ManualClock::at(0).meta();
            let store = Arc::new(MemoryStore::new(Epoch::new(7), Capacity::default(), meta));
            let (hub, pump) = Hub::new(store.clone(), WindowLimits::default(), ENCODER);
            TaskTracker::new().spawn_local(pump.run(CancellationToken::new()));
            let worker = hub.worker();
            let cursor = worker.cursor(worker.head());
            for text in ["one", "two"] {
                let post = Command::PostMessage(PostMessage {
                    sender: Sender::parse("Op").unwrap(),
                    message: MessageText::parse(text).unwrap(),
                    alert_id: None,
                });
                store.append(vec![Submission::from(post)]).await.unwrap();
            }
            hub.caught_up().await;
            let inner = Control { frames: frames.iter().copied().collect(), ends }.boxed();
            let (close, closing) = oneshot::channel();
            let limiter = ConnectionLimiter::new(ConnectionLimits { total: 1, per_address: 1 });
            let permit = limiter.acquire(None).unwrap();
            let feed = OutgoingBody::new(inner, cursor, permit, closing, Rc::default());
            let scene = Self { hub, worker, limiter, close: Some(close), feed };
            scene.settle().await;
            scene
        }

        /// Lets the worker receive the hub's events.
        async fn settle(&self) {
            for _ in 0..8 {
                yield_now().await;
            }
        }

        fn poll(&mut self) -> Poll<Option<Bytes>> {
            let mut cx = Context::from_waker(Waker::noop());
            Pin::new(&mut self.feed).poll_next(&mut cx).map(|item| item.map(Result::unwrap))
        }

        fn next(&mut self) -> Bytes {
            match self.poll() {
                Poll::Ready(Some(bytes)) => bytes,
                other => panic!("expected a frame, got {other:?}"),
            }
        }

        /// Waits for the end of the body.
        async fn end(&mut self) {
            let end = poll_fn(|cx| Pin::new(&mut self.feed).poll_next(cx)).await;
            assert!(end.is_none());
        }

        fn assert_events(&mut self) {
            for text in ["one", "two"] {
                let frame = self.next();
                assert_eq!(frame[0], 0x81);
                assert!(frame.windows(3).any(|bytes| bytes == text.as_bytes()), "{text}");
            }
        }
    }

    fn run(test: impl AsyncFnOnce()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        LocalSet::new().block_on(&runtime, test());
    }

    #[test]
    fn control_frames_are_sent_before_events() {
        run(async || {
            let mut scene = Scene::new(&[b"pong", b"complaint"], false).await;
            assert_eq!(scene.next(), "pong");
            assert_eq!(scene.next(), "complaint");
            scene.assert_events();
            assert_eq!(scene.poll(), Poll::Pending);
        });
    }

    #[test]
    fn a_drained_body_sends_its_events_then_1001_and_lingers() {
        run(async || {
            let mut scene = Scene::new(&[], false).await;
            scene.hub.drain();
            scene.settle().await;
            scene.assert_events();
            let leaving = CloseCode::GoingAway { retry_after: return_after(0) };
            assert_eq!(scene.next(), Closing::With(leaving).frame());
            assert_eq!(scene.hub.cursors(), 0, "a drain does not wait for a lingering body");
            assert_eq!(scene.limiter.taken(), 0, "the permit is released");
            let closed = Instant::now();
            scene.end().await;
            assert_eq!(closed.elapsed(), LINGER);
        });
    }

    #[test]
    fn a_lingering_body_sends_nothing_and_ends_with_the_reading_half() {
        run(async || {
            let mut scene = Scene::new(&[], true).await;
            let close = scene.close.take().unwrap();
            close.send(Closing::With(CloseCode::ProtocolError)).unwrap();
            assert_eq!(scene.next(), Closing::With(CloseCode::ProtocolError).frame());
            let closed = Instant::now();
            scene.end().await;
            assert_eq!(closed.elapsed().as_millis(), 0);
        });
    }

    #[test]
    fn the_clients_close_is_echoed_and_ends_the_body_immediately() {
        run(async || {
            let mut scene = Scene::new(&[b"pong"], false).await;
            scene.close.take().unwrap().send(Closing::Echo(Some(1_000))).unwrap();
            assert_eq!(scene.next(), Closing::Echo(Some(1_000)).frame());
            assert_eq!(scene.poll(), Poll::Ready(None));
            assert_eq!(scene.poll(), Poll::Ready(None));
        });
    }

    #[test]
    fn a_disconnected_client_ends_the_body_without_a_close() {
        run(async || {
            let mut scene = Scene::new(&[], false).await;
            drop(scene.close.take());
            assert_eq!(scene.poll(), Poll::Ready(None));
        });
    }

    #[test]
    fn the_end_of_the_hub_ends_the_body_without_a_close() {
        run(async || {
            let mut scene = Scene::new(&[], false).await;
            scene.hub.end();
            scene.settle().await;
            assert_eq!(scene.poll(), Poll::Ready(None));
            assert_eq!(scene.worker.head().offset, 2);
        });
    }
}
