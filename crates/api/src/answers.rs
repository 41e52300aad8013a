//! Large answers: one budget for all of them, and bodies that are written in pieces.

use crate::ApiError;
use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::ContentType;
use actix_web::web::Bytes;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The most bytes of one collection, before JSON: the ten largest alerts that there can be fit.
pub(crate) const ANSWER_BYTES: usize = 2 * 1024 * 1024;
/// More than the largest alert takes: 64 KiB of texts from its sender, 20 notes of 4 KiB, names.
const LARGEST_ITEM: usize = 192 * 1024;
/// What is handed to the connection at once: as much as its write buffer takes, so that it copies
/// no more than that of an answer that its client does not read.
const PIECE_BYTES: usize = 16 * 1024;
/// The most items of a small collection.
const SMALL_LIMIT: usize = 50;
/// How long a request waits for its part of the budget.
const PATIENCE: Duration = Duration::from_secs(2);
/// The budget is counted in so many bytes.
const UNIT: usize = 1024;

/// How many bytes all collections together may hold in memory, from the question until the client
/// has taken the answer; application data, shared by all threads. One slow reader holds its own
/// answer, and many cannot hold more than this.
#[derive(Debug, Clone)]
pub struct AnswerBudget {
    /// For collections of a few items: readers of large ones must not keep these from anybody.
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

impl AnswerBudget {
    /// A budget of so many bytes, a quarter of them for small collections; each part is enough for
    /// one answer at least.
    pub fn new(bytes: usize) -> Self {
        let part = |bytes: usize| Arc::new(Semaphore::new(bytes.max(ANSWER_BYTES) / UNIT));
        Self { small: part(bytes / 4), large: part(bytes - bytes / 4) }
    }

    /// A part of the budget for an answer of at most `limit` items.
    pub(crate) async fn reserve(&self, limit: usize) -> Result<Reservation, ApiError> {
        let bytes = limit.saturating_mul(LARGEST_ITEM).min(ANSWER_BYTES);
        let part = if limit <= SMALL_LIMIT { &self.small } else { &self.large };
        let reserved = timeout(PATIENCE, part.clone().acquire_many_owned(units(bytes))).await;
        // The semaphore is never closed, so that only time is a reason.
        reserved.ok().and_then(Result::ok).map(Reservation).ok_or(ApiError::Busy)
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

/// A part of the budget that one answer holds.
#[derive(Debug)]
pub(crate) struct Reservation(OwnedSemaphorePermit);

impl Reservation {
    /// Answers with JSON, and gives back what that does not need.
    pub(crate) fn json(self, json: Vec<u8>) -> HttpResponse {
        let Self(mut permit) = self;
        let needed = units(json.len()) as usize;
        let spare = permit.num_permits().saturating_sub(needed);
        drop(permit.split(spare));
        let body = PiecewiseBody { rest: json.into(), _reserved: Some(permit) };
        HttpResponse::Ok().content_type(ContentType::json()).body(body)
    }
}

/// A body of known length that is handed over in pieces, which share its memory.
pub(crate) struct PiecewiseBody {
    rest: Bytes,
    /// Given back with the body.
    _reserved: Option<OwnedSemaphorePermit>,
}

impl PiecewiseBody {
    /// A body whose bytes are in memory anyway.
    pub(crate) fn shared(bytes: Bytes) -> Self {
        Self { rest: bytes, _reserved: None }
    }
}

impl MessageBody for PiecewiseBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.rest.len() as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let length = self.rest.len().min(PIECE_BYTES);
        let piece = self.rest.split_to(length);
        Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[test]
    fn a_body_is_handed_over_in_pieces_that_are_the_whole() {
        let whole: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut body = PiecewiseBody::shared(whole.clone().into());
        assert_eq!(body.size(), BodySize::Sized(100_000));
        let mut pieces = Vec::new();
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(Ok(piece))) = Pin::new(&mut body).poll_next(&mut cx) {
            assert!(piece.len() <= PIECE_BYTES);
            pieces.extend_from_slice(&piece);
        }
        assert_eq!(pieces, whole);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_holds_its_bytes_until_its_body_is_gone() {
        let budget = AnswerBudget::new(ANSWER_BYTES);
        let first = budget.reserve(1_000).await.unwrap();
        assert!(matches!(budget.reserve(51).await, Err(ApiError::Busy)));
        assert!(budget.reserve(50).await.is_ok(), "a small collection has a part of its own");
        let answer = first.json(vec![b'x'; ANSWER_BYTES - 100_000]);
        assert!(matches!(budget.reserve(51).await, Err(ApiError::Busy)));
        drop(answer);
        let answer = budget.reserve(1_000).await.unwrap().json(b"small".to_vec());
        assert!(matches!(budget.reserve(1_000).await, Err(ApiError::Busy)));
        drop(answer);
        let answer = budget.reserve(50).await.unwrap().json(b"small".to_vec());
        assert!(budget.reserve(1).await.is_ok(), "what it did not need is free again");
        drop(answer);
        assert!(budget.reserve(1_000).await.is_ok());
    }
}
