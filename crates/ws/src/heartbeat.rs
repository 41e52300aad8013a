//! Detects disconnected clients: a silent client receives a ping, and its connection is closed if
//! it stays silent. The time is a parameter, so the heartbeat needs no clock.

use std::time::Duration;
use tokio::time::Instant;

/// Limits on the silence of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartbeatSettings {
    /// Time without a frame from the client after which the server sends a ping.
    pub ping_after: Duration,
    /// Time after that ping, without a frame from the client, after which the server closes the
    /// connection.
    pub pong_within: Duration,
}

/// Action that is due when a client is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beat {
    Ping,
    GiveUp,
}

/// Timer for the silence of one client.
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

    /// Returns the time of the next action if the client stays silent until then.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Restarts the timer, because a frame of any kind arrived.
    pub(crate) fn heard(&mut self, now: Instant) {
        *self = Self::new(self.settings, now);
    }

    /// Returns the action for a client that was silent until [`due`](Self::due).
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
    async fn the_heartbeat_first_pings_and_then_gives_up() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(SETTINGS, start);
        assert_eq!(heartbeat.due(), start + Duration::from_secs(25));
        assert_eq!(heartbeat.beat(heartbeat.due()), Beat::Ping);
        assert_eq!(heartbeat.due(), start + Duration::from_secs(35));
        assert_eq!(heartbeat.beat(heartbeat.due()), Beat::GiveUp);
    }

    #[tokio::test(start_paused = true)]
    async fn every_frame_restarts_the_timer() {
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
        assert_eq!(heartbeat.beat(heartbeat.due()), Beat::Ping, "an answer restarts the timer");
    }
}
