//! Time limits for the head of a request and for sending a large answer.
//!
//! Without these limits, a client that sends half a head would occupy a connection forever. A
//! client that reads a large answer byte by byte would occupy a connection and the memory of the
//! answer.
//!
//! The stream of a connection reports whether a part of a head has arrived ([`Exchange`]). The
//! counters of requests exist once per thread: the app counts requests that begin, and the bodies
//! of answers count requests that end. The app and the bodies of a connection run only while the
//! connection's future is polled. So the difference between the counters before and after a poll
//! belongs to the polled connection.

use super::idle::Registration;
use super::request_stream::Exchange;
use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;
use northgate_api::HeadError;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// Size of the write buffer. The size bounds the memory of a connection after a burst.
pub(super) const WRITE_BUFFER_BYTES: usize = 16 * 1024;
/// Time in which a client must read an answer that does not fit into the write buffer.
const LARGE_ANSWER_WITHIN: Duration = Duration::from_mins(2);
/// Time in which a client must read the answer to a refused head.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);

/// Counters of all connections of a thread.
#[derive(Debug, Clone, Copy, Default)]
struct ThreadCounts {
    begun: u64,
    ended: u64,
    /// Number of begun answers with a known length that do not fit into the write buffer.
    large_begun: u64,
    large_ended: u64,
    /// Number of begun answers without a known length.
    endless: u64,
}

thread_local! {
    static COUNTS: Cell<ThreadCounts> = const {
        Cell::new(ThreadCounts { begun: 0, ended: 0, large_begun: 0, large_ended: 0, endless: 0 })
    };
}

fn count(add: impl FnOnce(&mut ThreadCounts)) {
    let mut counts = COUNTS.get();
    add(&mut counts);
    COUNTS.set(counts);
}

/// The future of a connection. This future refuses a head that is not complete in time, and ends
/// the connection if the client does not read a large answer in time.
pub(super) struct HeaderDeadline<F> {
    /// Boxed, because the runtime moves a spawned future, and both copies would use stack space.
    serving: Pin<Box<F>>,
    patience: Duration,
    exchange: Rc<Exchange>,
    registration: Registration,
    /// Number of requests whose answers are not complete.
    in_flight: u64,
    /// Deadline of the head. The timer exists only before the first head and while a head is
    /// incomplete, so that an idle connection needs no timer.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Whether a head was refused because it was too slow. If true, `deadline` ends the connection.
    is_refused: bool,
    /// Number of large answers that are not complete.
    large: u64,
    /// Deadline of the large answer. The timer exists only while a large answer is being sent.
    answer_deadline: Option<Pin<Box<Sleep>>>,
}

impl<F> HeaderDeadline<F> {
    pub(super) fn new(
        serving: F,
        patience: Duration,
        exchange: Rc<Exchange>,
        registration: Registration,
    ) -> Self {
        Self {
            serving: Box::pin(serving),
            patience,
            exchange,
            registration,
            in_flight: 0,
            deadline: Some(Box::pin(sleep(patience))),
            is_refused: false,
            large: 0,
            answer_deadline: None,
        }
    }

    /// Refuses a head that is not complete in time. Ready if the client then does not read the
    /// answer to the refused head within 2 s.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        if deadline.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        if self.is_refused {
            return Poll::Ready(());
        }
        self.is_refused = true;
        self.exchange.refuse(HeadError::TooSlow);
        let mut deadline = Box::pin(sleep(REFUSED_WITHIN));
        // Polling the new timer registers it to wake the connection.
        let polled = deadline.as_mut().poll(cx);
        self.deadline = Some(deadline);
        cx.waker().wake_by_ref();
        polled
    }

    /// Ready when the time limit of a large answer is over.
    fn poll_answer(&mut self, begun: u64, ended: u64, cx: &mut Context<'_>) -> Poll<()> {
        self.large = (self.large + begun).saturating_sub(ended);
        if self.large == 0 {
            self.answer_deadline = None;
            return Poll::Pending;
        }
        let deadline =
            self.answer_deadline.get_or_insert_with(|| Box::pin(sleep(LARGE_ANSWER_WITHIN)));
        deadline.as_mut().poll(cx)
    }
}

impl<F: Future<Output = Result<(), E>>, E> Future for HeaderDeadline<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let before = COUNTS.get();
        if let Poll::Ready(ended) = this.serving.as_mut().poll(cx) {
            return Poll::Ready(ended);
        }
        let after = COUNTS.get();
        let begun = after.begun - before.begun;
        let ended = after.ended - before.ended;
        this.in_flight = (this.in_flight + begun).saturating_sub(ended);
        if after.endless > before.endless {
            this.exchange.begin_endless();
            // During an endless answer, too many bytes from the client end the connection. So the
            // stream must check the bytes that have already arrived.
            cx.waker().wake_by_ref();
        }
        if this.exchange.answered(ended) {
            cx.waker().wake_by_ref();
        }
        this.registration.set_idle(this.in_flight == 0);
        if this.in_flight == 0 && this.registration.is_evicted(cx.waker()) {
            return Poll::Ready(Ok(()));
        }
        if begun > 0 && !this.is_refused {
            this.deadline = None;
        }
        if this.in_flight == 0 && this.exchange.is_in_head() {
            // The first bytes of a head start the deadline. Later bytes do not extend it.
            this.deadline.get_or_insert_with(|| Box::pin(sleep(this.patience)));
        }
        let large_begun = after.large_begun - before.large_begun;
        let large_ended = after.large_ended - before.large_ended;
        if this.poll_answer(large_begun, large_ended, cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        this.poll_head(cx).map(Ok)
    }
}

/// Guard of a request in flight, from the end of its head to the end of its answer.
pub(super) struct InFlight(());

impl InFlight {
    pub(super) fn begin() -> Self {
        count(|counts| counts.begun += 1);
        Self(())
    }

    /// Wraps the body of the answer. When the body is dropped, the request is no longer in flight.
    pub(super) fn until_sent(self, body: impl MessageBody + 'static) -> Answering {
        if let BodySize::Stream = body.size() {
            count(|counts| counts.endless += 1);
        }
        let large = LargeAnswer::begin(body.size());
        Answering { body: body.boxed(), _large: large, _in_hand: self }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        count(|counts| counts.ended += 1);
    }
}

/// Guard of a large answer, from its head to its last byte.
struct LargeAnswer(());

impl LargeAnswer {
    fn begin(size: BodySize) -> Option<Self> {
        let is_large = matches!(size, BodySize::Sized(bytes) if bytes > WRITE_BUFFER_BYTES as u64);
        is_large.then(|| {
            count(|counts| counts.large_begun += 1);
            Self(())
        })
    }
}

impl Drop for LargeAnswer {
    fn drop(&mut self) {
        count(|counts| counts.large_ended += 1);
    }
}

/// Body of an answer, with the guards of its request.
pub(super) struct Answering {
    body: BoxBody,
    _large: Option<LargeAnswer>,
    _in_hand: InFlight,
}

impl MessageBody for Answering {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::rt::task::yield_now;
    use std::cell::RefCell;
    use std::rc::Rc;
    use tokio::time::{Instant, timeout};

    /// A connection that answers with a body of `bytes` bytes, which the client never reads.
    async fn stuck(bytes: usize, body: Rc<RefCell<Option<Answering>>>) -> Result<(), ()> {
        *body.borrow_mut() = Some(InFlight::begin().until_sent(vec![0_u8; bytes]));
        std::future::pending().await
    }

    #[actix_web::test]
    async fn a_large_answer_that_the_client_does_not_read_ends_the_connection() {
        tokio::time::pause();
        let body = Rc::default();
        let began = Instant::now();
        let connection = stuck(WRITE_BUFFER_BYTES + 1, Rc::clone(&body));
        let ended = HeaderDeadline::new(
            connection,
            Duration::from_secs(10),
            Rc::default(),
            Registration::new(u64::MAX),
        )
        .await;
        assert_eq!(ended, Ok(()));
        let after = began.elapsed();
        let latest = LARGE_ANSWER_WITHIN + Duration::from_secs(1);
        assert!((LARGE_ANSWER_WITHIN..latest).contains(&after), "{after:?}");
    }

    #[actix_web::test]
    async fn small_answers_and_answers_that_were_read_have_no_deadline() {
        tokio::time::pause();
        let day = Duration::from_hours(24);
        let small = stuck(WRITE_BUFFER_BYTES, Rc::default());
        let waited = timeout(
            day,
            HeaderDeadline::new(
                small,
                Duration::from_secs(10),
                Rc::default(),
                Registration::new(u64::MAX),
            ),
        )
        .await;
        assert!(waited.is_err());

        let taken = async {
            let body = InFlight::begin().until_sent(vec![0_u8; WRITE_BUFFER_BYTES + 1]);
            yield_now().await;
            drop(body);
            std::future::pending::<Result<(), ()>>().await
        };
        assert!(
            timeout(
                day,
                HeaderDeadline::new(
                    taken,
                    Duration::from_secs(10),
                    Rc::default(),
                    Registration::new(u64::MAX)
                )
            )
            .await
            .is_err()
        );
    }
}
