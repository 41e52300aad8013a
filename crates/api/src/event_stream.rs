//! A stream of server-sent events (WHATWG HTML, section 9.2), as the body of an answer.

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use northgate_domain::Notice;
use northgate_hub::{Cursor, End, Step, return_after};
use northgate_schemas::{BusyNotice, PositionText, notice_json, notice_name};
use northgate_services::ConnectionPermit;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// Interval of comments that are sent while there are no events, so that no proxy closes the
/// connection as idle.
const COMMENT_EVERY: Duration = Duration::from_secs(15);
/// Delay before a browser reconnects.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// Delay before a browser reconnects after a `busy` record.
const RETRY_AFTER_BUSY: Duration = Duration::from_secs(5);

/// Produces records until the cursor ends or the client disconnects. An event needs no allocation:
/// its record consists of a constant and a slice of a buffer that all connections share.
pub(crate) struct EventStream {
    /// `None` after the end of the stream, so that the permit is released.
    open: Option<(Cursor, ConnectionPermit)>,
    /// The part of the current record that is not sent yet.
    rest: Option<Bytes>,
    comment: Pin<Box<Sleep>>,
}

impl EventStream {
    pub(crate) fn new(cursor: Cursor, permit: ConnectionPermit) -> Self {
        Self {
            open: Some((cursor, permit)),
            rest: Some(retry(RETRY_AFTER).into()),
            comment: Box::pin(sleep(COMMENT_EVERY)),
        }
    }

    /// A stream without records, for a `HEAD` request. The HTTP library polls the body of this
    /// answer too, and discards the bytes.
    pub(crate) fn ended() -> Self {
        Self { open: None, rest: None, comment: Box::pin(sleep(COMMENT_EVERY)) }
    }

    /// Returns the complete body for a client that cannot be served now, with the reason.
    pub(crate) fn busy(why: &str) -> String {
        let name = BusyNotice::NAME;
        let json = BusyNotice::new(why).to_json();
        format!("{}event: {name}\ndata: {json}\n\n", retry(RETRY_AFTER_BUSY))
    }

    /// Returns the beginning of the record for `step`. Stores the other bytes of the record in
    /// `rest`.
    fn begin(&mut self, step: Step) -> Option<Bytes> {
        match step {
            Step::Frame(frame) => {
                self.rest = Some(frame.into_event_stream());
                Some(Bytes::from_static(b"data: "))
            }
            Step::Notice(notice) => Some(notice_record(&notice)),
            Step::End(end) => {
                self.open = None;
                last_words(end)
            }
        }
    }
}

/// Returns the last record of a stream: the delay before a reconnect, or `busy`. Returns `None` if
/// the client should reconnect with the delay that it already has.
fn last_words(end: End) -> Option<Bytes> {
    match end {
        End::Drained { turn } => Some(retry(return_after(turn)).into()),
        End::Unavailable => Some(EventStream::busy("The store cannot answer now.").into()),
        // The client resumes after its last event. If events are missing, the new stream reports a
        // gap.
        End::TooFarBehind | End::Cut => None,
    }
}

/// Returns a record that contains no event and only sets the delay before a reconnect.
fn retry(after: Duration) -> String {
    format!("retry: {}\n\n", after.as_millis())
}

fn notice_record(notice: &Notice) -> Bytes {
    let (name, json) = (notice_name(notice), notice_json(notice));
    format!("event: {name}\ndata: {json}\nid: {}\n\n", PositionText(notice.position())).into()
}

impl MessageBody for EventStream {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let this = self.get_mut();
        if let Some(rest) = this.rest.take() {
            return Poll::Ready(Some(Ok(rest)));
        }
        let Some((cursor, _)) = &mut this.open else { return Poll::Ready(None) };
        if let Poll::Ready(step) = cursor.poll_next(cx) {
            return Poll::Ready(this.begin(step).map(Ok));
        }
        ready!(this.comment.as_mut().poll(cx));
        this.comment.as_mut().reset(Instant::now() + COMMENT_EVERY);
        Poll::Ready(Some(Ok(Bytes::from_static(b":\n\n"))))
    }
}
