//! The lines of an export. Each line is one JSON object; lines with data contain a stored record
//! unchanged.

use northgate_storage::codec::CodecError;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt::{self, Display, Formatter};

/// Version of the line format. An import refuses every other version.
pub(crate) const FORMAT: u32 = 1;

/// One line of an export. The order is: the head; all events; all alerts; all messages; all keys;
/// the end line. An incomplete export has no end line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Line<'a> {
    #[serde(rename = "northgate_export")]
    Head(Head),
    #[serde(borrow)]
    Event(Record<'a>),
    #[serde(borrow)]
    Alert(Record<'a>),
    #[serde(borrow)]
    Message(Record<'a>),
    #[serde(borrow)]
    Key(Key<'a>),
    End(Counts),
}

/// The first line: describes the export.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    pub(crate) format: u32,
    /// Whether the export covers the complete store. False for the export of a range of time.
    pub(crate) whole: bool,
    /// Offset of the newest trimmed event; 0 if no event was trimmed.
    pub(crate) trimmed: u64,
}

/// A stored event, alert or message.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record<'a> {
    /// Offset of the event, or of the event that created the alert or message.
    pub(crate) offset: u64,
    /// Version of the record format in `shape`.
    pub(crate) version: u8,
    #[serde(borrow)]
    pub(crate) shape: &'a RawValue,
}

/// An idempotency key with the answer to its first use.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key<'a> {
    pub(crate) scope: String,
    pub(crate) value: String,
    pub(crate) fingerprint: Option<[u8; 32]>,
    /// Time of the first use, in microseconds since 1970.
    pub(crate) used_at: i64,
    pub(crate) version: u8,
    #[serde(borrow)]
    pub(crate) answer: &'a RawValue,
}

/// Number of lines of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Events of the log.
    pub events: u64,
    /// Current alerts.
    pub alerts: u64,
    /// Chat messages.
    pub messages: u64,
    /// Idempotency keys.
    pub keys: u64,
}

impl Display for Counts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { events, alerts, messages, keys } = self;
        write!(f, "{events} events, {alerts} alerts, {messages} messages and {keys} keys")
    }
}

/// Builds a stored record from the fields of a line.
pub(crate) fn join(version: u8, shape: &RawValue) -> Vec<u8> {
    let mut record = vec![version];
    record.extend_from_slice(shape.get().as_bytes());
    record
}

/// Splits a stored record into the fields of a line.
pub(crate) fn split(record: &[u8]) -> Result<(u8, &RawValue), CodecError> {
    let (&version, shape) = record.split_first().ok_or(CodecError::Empty)?;
    Ok((version, serde_json::from_slice(shape)?))
}
