//! The audit of a scenario: compares the log with the HTTP answers, and every reader with the log.

use crate::publisher::{AcceptedEvent, LAST_WORD};
use crate::recording_client::{RecordingClient, Wants, digest};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// The JSON of all events of a scenario, in the order of the log.
pub struct DeliveryAudit {
    texts: Vec<String>,
}

impl DeliveryAudit {
    /// The log as the recorder received it.
    pub fn of(recorder: RecordingClient) -> Self {
        Self { texts: recorder.into_texts() }
    }

    /// The number of events. Their offsets begin with 1 and are contiguous.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    fn text(&self, offset: u64) -> Option<&str> {
        self.texts.get(usize::try_from(offset).ok()?.checked_sub(1)?).map(String::as_str)
    }

    /// Asserts that every answered alert is in the log once, with the same JSON.
    pub fn assert_contains(&self, answered: &[AcceptedEvent]) {
        let mut offsets = HashSet::new();
        for AcceptedEvent { offset, json } in answered {
            assert_eq!(self.text(*offset), Some(json.as_str()));
            assert!(offsets.insert(*offset), "two alerts were answered with the offset {offset}");
        }
    }

    /// Asserts that the log has no alerts except the answered ones and the last one.
    pub fn assert_no_other_alerts(&self, answered: &[AcceptedEvent]) {
        let alerts = self.texts.iter().filter(|json| Wants::Alerts.admits(json));
        assert_eq!(alerts.count(), answered.len() + 1);
    }

    /// Asserts that the log has the events of each sender in the order of sending, without a gap.
    pub fn assert_sender_order(&self) {
        let mut next: HashMap<String, usize> = HashMap::new();
        for text in &self.texts {
            let json: Value = serde_json::from_str(text).unwrap();
            let name = json.get("sender").unwrap_or(&json["location"]).as_str().unwrap();
            let message = json["message"].as_str().unwrap();
            let number = message.split(' ').next().and_then(|number| number.parse::<usize>().ok());
            let Some(number) = number else {
                assert_eq!(message, LAST_WORD);
                continue;
            };
            let expected = next.entry(name.to_owned()).or_default();
            assert_eq!(*expected, number, "next number of the sender {name}");
            *expected = number + 1;
        }
    }

    /// Asserts that a reader received every requested event exactly once, in order, with the same
    /// JSON.
    pub fn assert_delivered_to(&self, reader: &RecordingClient) {
        self.assert_delivered_until(reader, u64::MAX);
    }

    /// Like [`Self::assert_delivered_to`], but only for events up to the offset `last`.
    pub fn assert_delivered_until(&self, reader: &RecordingClient, last: u64) {
        let numbered = (1_u64..).zip(&self.texts);
        let due = numbered
            .filter(|(offset, json)| {
                *offset > reader.from && *offset <= last && reader.wants.admits(json)
            })
            .map(|(offset, json)| (offset, digest(json)));
        let wants = reader.wants;
        let mut seen = reader.seen.iter().copied();
        for due in due {
            assert_eq!(
                seen.next(),
                Some(due),
                "the log has {} events, the reader wants {wants:?}",
                self.len()
            );
        }
        assert_eq!(
            seen.next(),
            None,
            "the log has {} events, the reader wants {wants:?}",
            self.len()
        );
    }
}
