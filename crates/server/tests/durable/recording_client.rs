//! A client that records received frames, and the check that they match the answered writes.

use crate::text;
use northgate_testkit::{Client, Message};
use serde_json::Value;
use std::collections::HashMap;

/// Number of concurrent publishers.
pub(crate) const PUBLISHERS: usize = 6;

/// Position of an alert, and the content of its message: its publisher, and its number among the
/// publisher's alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordedAlert {
    pub(crate) id: String,
    pub(crate) position: String,
    pub(crate) publisher: usize,
    pub(crate) number: u64,
}

impl RecordedAlert {
    pub(crate) fn of(alert: &Value) -> Self {
        let (publisher, number) = text(alert, "message").split_once(':').unwrap();
        Self {
            id: text(alert, "id").to_owned(),
            position: text(alert, "position").to_owned(),
            publisher: publisher.parse().unwrap(),
            number: number.parse().unwrap(),
        }
    }
}

/// The form in which a client records a received frame.
pub(crate) trait RecordedFrame {
    /// Types of frames that the client subscribes to, separated by commas.
    const TYPES: &str;

    fn of(frame: Value) -> Self;
}

impl RecordedFrame for RecordedAlert {
    const TYPES: &str = "alert";

    fn of(frame: Value) -> Self {
        Self::of(&frame)
    }
}

/// A client that records frames and remembers its last position.
pub(crate) struct RecordingClient<T = RecordedAlert> {
    last: String,
    pub(crate) seen: Vec<T>,
}

impl<T: RecordedFrame> RecordingClient<T> {
    pub(crate) fn at(position: &str) -> Self {
        Self { last: position.to_owned(), seen: Vec::new() }
    }

    /// Resumes after the last position, and records until the connection ends, or until `live` if
    /// `to_present` is true.
    pub(crate) fn follow(&mut self, server: Client, to_present: bool) {
        let query = format!("after={}&types={}", self.last, T::TYPES);
        let Ok(mut socket) = server.try_socket(&query) else { return };
        loop {
            let frame: Value = match socket.try_next() {
                Ok(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
                Ok(Message::Ping(_)) => continue,
                _ => break,
            };
            text(&frame, "position").clone_into(&mut self.last);
            match text(&frame, "type") {
                "resume" => assert_eq!(frame["outcome"], "complete", "{frame}"),
                "live" if to_present => return,
                "live" => {}
                kind if T::TYPES.split(',').any(|wanted| wanted == kind) => {
                    self.seen.push(T::of(frame));
                }
                _ => panic!("{frame}"),
            }
        }
        assert!(!to_present, "the connection ended before the live frame");
    }

    /// Returns all frames from `position` to the present, in the order of arrival.
    pub(crate) fn replay(server: Client, position: &str) -> Vec<T> {
        let mut follower = Self::at(position);
        follower.follow(server, true);
        follower.seen
    }
}

/// Checks that every answered alert is in `stored` exactly once, at the position of its answer, and
/// that the alerts of each publisher are in the order in which they were sent.
pub(crate) fn assert_stored(stored: &[RecordedAlert], answered: &[RecordedAlert]) {
    let by_id: HashMap<_, _> = stored.iter().map(|seen| (&seen.id, seen)).collect();
    assert_eq!(by_id.len(), stored.len(), "each alert is there once");
    for alert in answered {
        assert_eq!(by_id.get(&alert.id), Some(&alert), "an answered alert is stored");
    }
    let mut latest = [None; PUBLISHERS];
    for alert in stored {
        let before = latest[alert.publisher].replace(alert.number);
        assert!(before < Some(alert.number), "{before:?} is before {alert:?}");
    }
}
