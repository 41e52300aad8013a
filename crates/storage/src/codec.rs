//! The persisted form of records in durable stores. This form is versioned, and separate from the
//! JSON on the wire, so that each of the two can change without the other.
//!
//! The first byte of a record is the version of its shape. The other bytes are JSON of that shape,
//! with short member names. A record contains offsets without the epoch, because all events of a
//! log have the same epoch.
//!
//! Decoding checks only the form of a record. The limits of the domain apply to new input: a limit
//! that becomes stricter must not make stored data unreadable.
//!
//! A released shape never changes. A change gets a new version, and every old version stays
//! readable, because a database can be older than the program that opens it.

mod v1;
mod v2;

use crate::RecordedOutcome;
use northgate_domain::{Alert, ChatMessage, Epoch, Event, HttpUrlError};
use serde::{Deserialize, Serialize};

/// Version of the shapes that this program writes.
pub const VERSION: u8 = 2;

/// Reasons why bytes are not a valid record or a value cannot be encoded.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The record has no bytes, so it has no version either.
    #[error("the record is empty")]
    Empty,
    /// The version is unknown: a newer program wrote the record, or the byte is damaged.
    #[error("the record has version {0}, which this program does not support")]
    UnknownVersion(u8),
    /// The JSON does not have the shape of the record's version.
    #[error("the JSON of the record does not have the shape that its version requires")]
    Shape(#[from] serde_json::Error),
    /// The record contains a URL that the domain does not accept.
    #[error("the record contains a URL that is not valid")]
    HttpUrl(#[from] HttpUrlError),
    /// The record contains a name of a severity or of a change that the version of the record does
    /// not define.
    #[error("the record contains a severity or a change with an unknown name")]
    Word,
}

/// Encodes an event as a record of the current version.
pub fn encode_event(event: &Event) -> Result<Vec<u8>, CodecError> {
    encode(&v2::EventShape::from(event))
}

/// Decodes the event in a record of any released version.
pub fn decode_event(record: &[u8]) -> Result<Event, CodecError> {
    match version_of(record)? {
        (1, shape) => Ok(read::<v1::EventShape>(shape)?.into()),
        (VERSION, shape) => read::<v2::EventShape>(shape)?.try_into(),
        (version, _) => Err(CodecError::UnknownVersion(version)),
    }
}

/// Encodes the current state of an alert.
pub fn encode_alert(alert: &Alert) -> Result<Vec<u8>, CodecError> {
    encode(&v2::AlertShape::from(alert))
}

/// Decodes the alert in a record of any released version.
pub fn decode_alert(record: &[u8]) -> Result<Alert, CodecError> {
    match version_of(record)? {
        (1, shape) => Ok(read::<v1::AlertShape>(shape)?.into()),
        (VERSION, shape) => read::<v2::AlertShape>(shape)?.try_into(),
        (version, _) => Err(CodecError::UnknownVersion(version)),
    }
}

/// Encodes a chat message.
pub fn encode_message(message: &ChatMessage) -> Result<Vec<u8>, CodecError> {
    encode(&v2::ChatShape::from(message))
}

/// Decodes the chat message in a record of any released version.
pub fn decode_message(record: &[u8]) -> Result<ChatMessage, CodecError> {
    match version_of(record)? {
        (1, shape) => Ok(read::<v1::ChatShape>(shape)?.into()),
        (VERSION, shape) => Ok(read::<v2::ChatShape>(shape)?.into()),
        (version, _) => Err(CodecError::UnknownVersion(version)),
    }
}

/// Encodes the outcome that is recorded under an idempotency key.
pub fn encode_outcome(answer: &RecordedOutcome) -> Result<Vec<u8>, CodecError> {
    encode(&v2::OutcomeShape::from(answer))
}

/// Decodes a recorded outcome. The offsets in the record become positions of the log with this
/// `epoch`.
pub fn decode_outcome(record: &[u8], epoch: Epoch) -> Result<RecordedOutcome, CodecError> {
    match version_of(record)? {
        (1, shape) => Ok(read::<v1::OutcomeShape>(shape)?.into_answer(epoch)),
        (VERSION, shape) => read::<v2::OutcomeShape>(shape)?.into_answer(epoch),
        (version, _) => Err(CodecError::UnknownVersion(version)),
    }
}

fn encode(shape: &impl Serialize) -> Result<Vec<u8>, CodecError> {
    let mut record = vec![VERSION];
    serde_json::to_writer(&mut record, shape)?;
    Ok(record)
}

/// Splits a record into its version and the JSON of its shape.
fn version_of(record: &[u8]) -> Result<(u8, &[u8]), CodecError> {
    record.split_first().map(|(version, shape)| (*version, shape)).ok_or(CodecError::Empty)
}

fn read<'a, T: Deserialize<'a>>(shape: &'a [u8]) -> Result<T, CodecError> {
    Ok(serde_json::from_slice(shape)?)
}
