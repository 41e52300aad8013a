//! Who remembers what was answered and what was seen, and what must hold between the two.

use crate::text;
use northgate_testkit::{Client, Message};
use serde_json::Value;
use std::collections::HashMap;

/// Who publish at the same time.
pub(crate) const PUBLISHERS: usize = 6;

/// Where an alert stands, and what it says: who published it, and the how manieth of theirs it is.
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

/// What a follower makes of the frames that it gets.
pub(crate) trait RecordedFrame {
    /// The types of frame that it asks for.
    const TYPES: &str;

    fn of(frame: Value) -> Self;
}

impl RecordedFrame for RecordedAlert {
    const TYPES: &str = "alert";

    fn of(frame: Value) -> Self {
        Self::of(&frame)
    }
}

/// A client that remembers where it was.
pub(crate) struct RecordingClient<T = RecordedAlert> {
    last: String,
    pub(crate) seen: Vec<T>,
}

impl<T: RecordedFrame> RecordingClient<T> {
    pub(crate) fn at(position: &str) -> Self {
        Self { last: position.to_owned(), seen: Vec::new() }
    }

    /// Goes on where it was, up to the end of the connection, or to the present if `to_present`.
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
        assert!(!to_present, "it was cut before it reached the present");
    }

    /// Everything from `position` to the present, in the order in which it came.
    pub(crate) fn replay(server: Client, position: &str) -> Vec<T> {
        let mut follower = Self::at(position);
        follower.follow(server, true);
        follower.seen
    }
}

/// Every answered alert is in `held`, once, at the place that its answer named; and what each
/// publisher sent stands in the order in which it was sent.
pub(crate) fn assert_kept(held: &[RecordedAlert], answered: &[RecordedAlert]) {
    let by_id: HashMap<_, _> = held.iter().map(|seen| (&seen.id, seen)).collect();
    assert_eq!(by_id.len(), held.len(), "nothing is there twice");
    for alert in answered {
        assert_eq!(by_id.get(&alert.id), Some(&alert), "what was answered is there");
    }
    let mut latest = [None; PUBLISHERS];
    for alert in held {
        let before = latest[alert.publisher].replace(alert.number);
        assert!(before < Some(alert.number), "{before:?} stands before {alert:?}");
    }
}
