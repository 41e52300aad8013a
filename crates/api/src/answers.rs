//! Large answers: one memory budget for all of them, and bodies that are written in pieces.

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

/// Upper bound of the bytes of one collection, before encoding. The ten largest possible alerts
/// fit.
pub(crate) const ANSWER_BYTES: usize = 2 * 1024 * 1024;
/// Upper bound of the bytes of one alert: 64 KiB of texts from its sender, 20 notes of 4 KiB, and
/// names.
const LARGEST_ITEM: usize = 192 * 1024;
/// Bytes that a body hands to its connection per poll, equal to the connection's write buffer. If
/// the client does not read the answer, only this part of the body is copied.
const PIECE_BYTES: usize = 16 * 1024;
/// Upper bound of items in a small collection.
const SMALL_LIMIT: usize = 50;
/// Upper bound of the time that a request waits for memory in the budget.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes per permit of the budget.
const UNIT: usize = 1024;

/// Upper bound of the bytes that all collections together may occupy, from the query until the
/// client has read the answer. The budget is application data that all threads share. A slow reader
/// occupies only its own answer, and many slow readers cannot exceed the budget.
#[derive(Debug, Clone)]
pub struct AnswerBudget {
    /// Memory for collections with at most [`SMALL_LIMIT`] items. Larger collections never reserve
    /// memory from this budget.
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

impl AnswerBudget {
    /// A budget of `bytes`. A quarter is for small collections, the rest is for large ones. Each of
    /// the two parts has enough memory for at least one answer.
    pub fn new(bytes: usize) -> Self {
        let part = |bytes: usize| Arc::new(Semaphore::new(bytes.max(ANSWER_BYTES) / UNIT));
        Self { small: part(bytes / 4), large: part(bytes - bytes / 4) }
    }

    /// Reserves memory for an answer of at most `limit` items. Fails with `Busy` after
    /// [`PATIENCE`].
    pub(crate) async fn reserve(&self, limit: usize) -> Result<Reservation, ApiError> {
        let bytes = limit.saturating_mul(LARGEST_ITEM).min(ANSWER_BYTES);
        let part = if limit <= SMALL_LIMIT { &self.small } else { &self.large };
        let reserved = timeout(PATIENCE, part.clone().acquire_many_owned(units(bytes))).await;
        // The semaphore is never closed, so a timeout is the only possible error.
        reserved.ok().and_then(Result::ok).map(Reservation).ok_or(ApiError::Busy)
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

/// The memory that one answer occupies in the budget.
#[derive(Debug)]
pub(crate) struct Reservation(OwnedSemaphorePermit);

impl Reservation {
    /// Answers with JSON. Releases the reserved memory that the JSON does not need.
    pub(crate) fn json(self, json: Vec<u8>) -> HttpResponse {
        let Self(mut permit) = self;
        let needed = units(json.len()) as usize;
        let spare = permit.num_permits().saturating_sub(needed);
        drop(permit.split(spare));
        let body = PiecewiseBody { rest: json.into(), _reserved: Some(permit) };
        HttpResponse::Ok().content_type(ContentType::json()).body(body)
    }
}

/// A body of known length that is sent in pieces. Each piece is a slice of the body, not a copy.
pub(crate) struct PiecewiseBody {
    rest: Bytes,
    /// Returned to the budget when the body is dropped.
    _reserved: Option<OwnedSemaphorePermit>,
}

impl PiecewiseBody {
    /// A body without a reservation, for bytes that stay in memory while the process runs.
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
    fn the_pieces_of_a_body_add_up_to_the_complete_body() {
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
    async fn an_answer_reserves_its_bytes_until_its_body_is_dropped() {
        let budget = AnswerBudget::new(ANSWER_BYTES);
        let first = budget.reserve(1_000).await.unwrap();
        assert!(matches!(budget.reserve(51).await, Err(ApiError::Busy)));
        assert!(budget.reserve(50).await.is_ok(), "small collections have their own budget");
        let answer = first.json(vec![b'x'; ANSWER_BYTES - 100_000]);
        assert!(matches!(budget.reserve(51).await, Err(ApiError::Busy)));
        drop(answer);
        let answer = budget.reserve(1_000).await.unwrap().json(b"small".to_vec());
        assert!(matches!(budget.reserve(1_000).await, Err(ApiError::Busy)));
        drop(answer);
        let answer = budget.reserve(50).await.unwrap().json(b"small".to_vec());
        assert!(
            budget.reserve(1).await.is_ok(),
            "memory that the answer does not need is free again"
        );
        drop(answer);
        assert!(budget.reserve(1_000).await.is_ok());
    }
}
