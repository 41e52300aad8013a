//! The lines of an export: one JSON object each, with the persisted records as they are.

use northgate_storage::codec::CodecError;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The form of the lines. A program that reads one form refuses a newer one.
pub(crate) const FORMAT: u32 = 1;

/// One line. First comes the head, then events, alerts, messages and keys, each kind in its order,
/// and at last the end: an export that was cut off has none.
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

/// What comes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    pub(crate) format: u32,
    /// Whether it is all that the store holds, and not a part of it by time.
    pub(crate) whole: bool,
    /// The offset of the newest event that was trimmed.
    pub(crate) trimmed: u64,
}

/// Something that stands in the log.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record<'a> {
    /// Where it began.
    pub(crate) offset: u64,
    /// The version of its shape.
    pub(crate) version: u8,
    #[serde(borrow)]
    pub(crate) shape: &'a RawValue,
}

/// An idempotency key with its first answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key<'a> {
    pub(crate) scope: String,
    pub(crate) value: String,
    pub(crate) fingerprint: Option<[u8; 32]>,
    /// In microseconds since 1970.
    pub(crate) used_at: i64,
    pub(crate) version: u8,
    #[serde(borrow)]
    pub(crate) answer: &'a RawValue,
}

/// How many lines of each kind there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Events of the log.
    pub events: u64,
    /// Alerts as they stand.
    pub alerts: u64,
    /// Chat messages.
    pub messages: u64,
    /// Idempotency keys.
    pub keys: u64,
}

/// A record as it is kept, from what stands in a line.
pub(crate) fn join(version: u8, shape: &RawValue) -> Vec<u8> {
    let mut record = vec![version];
    record.extend_from_slice(shape.get().as_bytes());
    record
}

/// What stands in a line, of a record as it is kept.
pub(crate) fn split(record: &[u8]) -> Result<(u8, &RawValue), CodecError> {
    let (&version, shape) = record.split_first().ok_or(CodecError::Empty)?;
    Ok((version, serde_json::from_slice(shape)?))
}
