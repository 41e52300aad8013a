//! Whether a client is still there: a ping after a silence, and an end after a silence on that.
//! Time is told to it, so it needs no clock.

use std::time::Duration;
use tokio::time::Instant;

/// How long a client may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartbeatSettings {
    /// Without anything from the client for this long, it is pinged.
    pub ping_after: Duration,
    /// Without anything from the client for this long after a ping, it is closed.
    pub pong_within: Duration,
}

/// What a silence calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beat {
    Ping,
    GiveUp,
}

/// The silence of one client.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    settings: HeartbeatSettings,
    next: Beat,
    due: Instant,
}

impl Heartbeat {
    pub(crate) fn new(settings: HeartbeatSettings, now: Instant) -> Self {
        Self { settings, next: Beat::Ping, due: now + settings.ping_after }
    }

    /// When something is to be done, if the client stays silent until then.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// The client said something: a message, a pong, whatever it is.
    pub(crate) fn heard(&mut self, now: Instant) {
        *self = Self::new(self.settings, now);
    }

    /// The client was silent until [`due`](Self::due): says what is to be done about it.
    pub(crate) fn beat(&mut self, now: Instant) -> Beat {
        let beat = self.next;
        self.next = Beat::GiveUp;
        self.due = now + self.settings.pong_within;
        beat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: HeartbeatSettings = HeartbeatSettings {
        ping_after: Duration::from_secs(25),
        pong_within: Duration::from_secs(10),
    };

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_pinged_and_then_given_up() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(SETTINGS, start);
        assert_eq!(heartbeat.due(), start + Duration::from_secs(25));
        assert_eq!(heartbeat.beat(heartbeat.due()), Beat::Ping);
        assert_eq!(heartbeat.due(), start + Duration::from_secs(35));
        assert_eq!(heartbeat.beat(heartbeat.due()), Beat::GiveUp);
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_is_heard_begins_the_silence_anew() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(SETTINGS, start);
        for second in [1, 20, 40] {
            let now = start + Duration::from_secs(second);
            heartbeat.heard(now);
            assert_eq!(heartbeat.due(), now + Duration::from_secs(25));
        }
        assert_eq!(heartbeat.beat(heartbeat.due()), Beat::Ping);
        let answered = start + Duration::from_secs(70);
        heartbeat.heard(answered);
        assert_eq!(heartbeat.due(), answered + Duration::from_secs(25));
        assert_eq!(heartbeat.beat(heartbeat.due()), Beat::Ping, "an answer saves the client");
    }
}
