//! The head of a request has its time, and so has a large answer.
//!
//! Without that, half a head would hold a connection for ever, and so would a client that takes a
//! large answer byte by byte; the answer would stay in memory.
//!
//! The stream of a connection knows whether half a head has come ([`Exchange`]). The app sees requests
//! begin, and the bodies of answers see them end. Both are polled by the connection's one future and
//! by nobody else. So they count what they see on their thread, and the future compares the counts
//! before and after it polls: the difference is its own.

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

/// What gathers into one write; it bounds what a connection holds after a burst.
pub(super) const WRITE_BUFFER_BYTES: usize = 16 * 1024;
/// How long a client may take for an answer that does not fit into the write buffer.
const LARGE_ANSWER_WITHIN: Duration = Duration::from_mins(2);
/// How long a client whose head is refused may take for the answer.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);

/// What was seen on a thread, of all its connections.
#[derive(Debug, Clone, Copy, Default)]
struct ThreadCounts {
    begun: u64,
    ended: u64,
    /// Answers of a known length that do not fit into the write buffer.
    large_begun: u64,
    large_ended: u64,
    /// Answers without a length.
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

/// The future of a connection: refuses a head that is not whole in time, and ends the connection
/// when a large answer was not taken in time.
pub(super) struct HeaderDeadline<F> {
    /// In a box, since whoever spawns this future moves it, and keeps the room on both sides.
    serving: Pin<Box<F>>,
    patience: Duration,
    exchange: Rc<Exchange>,
    registration: Registration,
    /// Requests whose answers are not at their end.
    in_flight: u64,
    /// Only there before the first head, and while a head is begun: a connection that is silent
    /// after its first answer costs nothing.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Whether the time for a head was over. Then the deadline is that of the whole connection.
    is_refused: bool,
    /// Large answers that are not at their end.
    large: u64,
    /// Only there while a large answer is on its way.
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

    /// Refuses the head that is not whole in time. Ready when the client has not taken that either.
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
        // It is to wake the connection from now on.
        let polled = deadline.as_mut().poll(cx);
        self.deadline = Some(deadline);
        cx.waker().wake_by_ref();
        polled
    }

    /// Whether the time for a large answer is over.
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
            // What the client has sent already is looked at again.
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
            // Nothing is added for what comes later.
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

/// A request in hand: from the end of its head to the end of its answer.
pub(super) struct InFlight(());

impl InFlight {
    pub(super) fn begin() -> Self {
        count(|counts| counts.begun += 1);
        Self(())
    }

    /// The body of the answer, at whose end the request is no longer in hand.
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

/// A large answer on its way: from its head to its last byte.
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

/// The body of an answer to a request in hand.
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

    /// A connection that answers with a body of so many bytes, and never gets it through.
    async fn stuck(bytes: usize, body: Rc<RefCell<Option<Answering>>>) -> Result<(), ()> {
        *body.borrow_mut() = Some(InFlight::begin().until_sent(vec![0_u8; bytes]));
        std::future::pending().await
    }

    #[actix_web::test]
    async fn a_large_answer_that_is_not_taken_ends_its_connection_in_time() {
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
    async fn a_small_answer_and_one_that_is_taken_have_no_deadline() {
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
