//! Rate limit for the messages of one client: a token bucket for messages and one for refusals.

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::time::Instant;

/// Rate limit for the messages of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatLimitSettings {
    /// Sustained rate in messages per second.
    pub per_second: NonZeroU32,
    /// Number of messages that are accepted together after a silence.
    pub burst: NonZeroU32,
}

impl Default for ChatLimitSettings {
    fn default() -> Self {
        const PER_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
        const BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();
        Self { per_second: PER_SECOND, burst: BURST }
    }
}

/// Reason why a message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// The next message is accepted after this time.
    Wait(Duration),
    /// The client used up its refusals too: the client ignores the requests to wait.
    Flooding,
}

/// Token buckets of one client.
pub(crate) struct ChatLimit {
    messages: Bucket,
    /// As large as `messages`: a client may have sent a burst before it reads the first refusal.
    refusals: Bucket,
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Nanos>>;

impl ChatLimit {
    pub(crate) fn new(settings: ChatLimitSettings) -> Self {
        let quota = Quota::per_second(settings.per_second).allow_burst(settings.burst);
        let clock = TokioClock { start: Instant::now() };
        let bucket = || RateLimiter::direct_with_clock(quota, clock);
        Self { messages: bucket(), refusals: bucket() }
    }

    /// Counts one message. Returns an error if the message exceeds the limit.
    pub(crate) fn take(&self) -> Result<(), Excess> {
        let Err(not_until) = self.messages.check() else { return Ok(()) };
        if self.refusals.check().is_err() {
            return Err(Excess::Flooding);
        }
        Err(Excess::Wait(not_until.wait_time_from(self.messages.clock().now())))
    }
}

/// Clock of the Tokio runtime, which tests can pause.
#[derive(Debug, Clone, Copy)]
struct TokioClock {
    start: Instant,
}

impl Clock for TokioClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.start.elapsed().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn limit(per_second: u32, burst: u32) -> ChatLimit {
        let number = |n| NonZeroU32::new(n).unwrap();
        ChatLimit::new(ChatLimitSettings { per_second: number(per_second), burst: number(burst) })
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_accepted_and_then_the_sustained_rate() {
        let limit = limit(20, 100);
        for _ in 0..100 {
            assert_eq!(limit.take(), Ok(()));
        }
        let wait = Duration::from_millis(50);
        assert_eq!(limit.take(), Err(Excess::Wait(wait)));
        advance(Duration::from_millis(49)).await;
        assert_eq!(limit.take(), Err(Excess::Wait(Duration::from_millis(1))));
        for _ in 0..200 {
            advance(wait).await;
            assert_eq!(limit.take(), Ok(()), "a client at the sustained rate is never refused");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_silence_allows_only_one_burst() {
        let limit = limit(10, 3);
        for _ in 0..2 {
            for _ in 0..3 {
                assert_eq!(limit.take(), Ok(()));
            }
            assert!(limit.take().is_err());
            advance(Duration::from_hours(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_ignores_refusals_is_flooding() {
        let limit = limit(10, 3);
        for _ in 0..3 {
            assert_eq!(limit.take(), Ok(()));
        }
        for _ in 0..3 {
            assert_eq!(limit.take(), Err(Excess::Wait(Duration::from_millis(100))));
        }
        assert_eq!(limit.take(), Err(Excess::Flooding));
        advance(Duration::from_millis(100)).await;
        assert_eq!(limit.take(), Ok(()), "a message within the limit is still accepted");
        assert!(
            matches!(limit.take(), Err(Excess::Wait(_))),
            "the bucket of refusals is refilled too"
        );
        assert_eq!(limit.take(), Err(Excess::Flooding));
    }

    #[tokio::test(start_paused = true)]
    async fn the_defaults_match_the_documents() {
        let ChatLimitSettings { per_second, burst } = ChatLimitSettings::default();
        assert_eq!((per_second.get(), burst.get()), (20, 100));
    }
}
