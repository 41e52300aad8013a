//! How much one client may say: messages have a bucket that fills with time, and so have refusals.

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::time::Instant;

/// How much one client may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatLimitSettings {
    /// So many messages a second, in the long run.
    pub per_second: NonZeroU32,
    /// So many messages at once, after a silence.
    pub burst: NonZeroU32,
}

impl Default for ChatLimitSettings {
    fn default() -> Self {
        const PER_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
        const BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();
        Self { per_second: PER_SECOND, burst: BURST }
    }
}

/// A message came too soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// The next one is taken after so long.
    Wait(Duration),
    /// The client was told so again and again, and does not care.
    Flooding,
}

/// What one client may still say.
pub(crate) struct ChatLimit {
    messages: Bucket,
    /// A client that cannot know yet that it is too fast gets as many refusals as it gets messages.
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

    /// Counts one message.
    pub(crate) fn take(&self) -> Result<(), Excess> {
        let Err(not_until) = self.messages.check() else { return Ok(()) };
        if self.refusals.check().is_err() {
            return Err(Excess::Flooding);
        }
        Err(Excess::Wait(not_until.wait_time_from(self.messages.clock().now())))
    }
}

/// The runtime's clock, which tests pause.
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
    async fn a_burst_is_taken_and_then_so_many_a_second() {
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
            assert_eq!(limit.take(), Ok(()), "a client that keeps the pace is never refused");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silence_fills_the_bucket_and_no_more() {
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
    async fn a_client_that_does_not_care_is_flooding() {
        let limit = limit(10, 3);
        for _ in 0..3 {
            assert_eq!(limit.take(), Ok(()));
        }
        for _ in 0..3 {
            assert_eq!(limit.take(), Err(Excess::Wait(Duration::from_millis(100))));
        }
        assert_eq!(limit.take(), Err(Excess::Flooding));
        advance(Duration::from_millis(100)).await;
        assert_eq!(limit.take(), Ok(()), "what is allowed stays allowed");
        assert!(matches!(limit.take(), Err(Excess::Wait(_))), "refusals fill up as well");
        assert_eq!(limit.take(), Err(Excess::Flooding));
    }

    #[tokio::test(start_paused = true)]
    async fn the_defaults_are_what_the_documents_say() {
        let ChatLimitSettings { per_second, burst } = ChatLimitSettings::default();
        assert_eq!((per_second.get(), burst.get()), (20, 100));
    }
}
