//! The audit of a scenario: the log against the answers, and every record against the log.

use crate::publisher::{AcceptedEvent, LAST_WORD};
use crate::recording_client::{RecordingClient, Wants, digest};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// Everything that happened, in order.
pub struct DeliveryAudit {
    texts: Vec<String>,
}

impl DeliveryAudit {
    /// The log as this recorder saw it.
    pub fn of(recorder: RecordingClient) -> Self {
        Self { texts: recorder.into_texts() }
    }

    /// How many events there are: their offsets begin with 1 and are contiguous.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    fn text(&self, offset: u64) -> Option<&str> {
        self.texts.get(usize::try_from(offset).ok()?.checked_sub(1)?).map(String::as_str)
    }

    /// Every answered alert is here once, word for word.
    pub fn assert_contains(&self, answered: &[AcceptedEvent]) {
        let mut offsets = HashSet::new();
        for AcceptedEvent { offset, json } in answered {
            assert_eq!(self.text(*offset), Some(json.as_str()));
            assert!(offsets.insert(*offset), "two were answered with {offset}");
        }
    }

    /// Nothing is here that nobody was answered for, but for the last word.
    pub fn assert_no_other_alerts(&self, answered: &[AcceptedEvent]) {
        let alerts = self.texts.iter().filter(|json| Wants::Alerts.admits(json));
        assert_eq!(alerts.count(), answered.len() + 1);
    }

    /// The events of each sender come in the order in which it sent them, without a gap.
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
            assert_eq!(*expected, number, "of {name}");
            *expected = number + 1;
        }
    }

    /// A reader saw all that it asked for, once and in order: no gap, no repeat, no other word.
    pub fn assert_delivered_to(&self, reader: &RecordingClient) {
        self.assert_delivered_until(reader, u64::MAX);
    }

    /// The same up to an offset.
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
            assert_eq!(seen.next(), Some(due), "of {} events, {wants:?}", self.len());
        }
        assert_eq!(seen.next(), None, "of {} events, {wants:?}", self.len());
    }
}
