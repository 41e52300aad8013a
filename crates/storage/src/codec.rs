//! The persisted form of what a durable store keeps: versioned records, apart from the wire's
//! shapes, so that either can change without the other.
//!
//! A record is one byte, the version of its shape, and then JSON of that shape with short names.
//! Positions are offsets only: the epoch belongs to the log and not to what stands in it.
//!
//! Decoding checks the form of a record and nothing else. The domain's limits are for new input:
//! a limit that becomes tighter must not make stored data unreadable.
//!
//! A shape that was released never changes. One that needs more is a new version, and the old one
//! stays readable: databases are older than the programs that open them.

mod v1;
mod v2;

use crate::RecordedOutcome;
use northgate_domain::{Alert, ChatMessage, Epoch, Event, HttpUrlError};
use serde::{Deserialize, Serialize};

/// The version of the shapes that are written now.
pub const VERSION: u8 = 2;

/// Why bytes are no record, or a value could not become one.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// There is not even a version.
    #[error("an empty record")]
    Empty,
    /// A newer program wrote it.
    #[error("a record of version {0}, which this program does not know")]
    UnknownVersion(u8),
    /// It has not the shape of its version.
    #[error("a record that is not what its version says")]
    Shape(#[from] serde_json::Error),
    /// An address in it is none that the domain accepts.
    #[error("a record with an address that is not accepted")]
    HttpUrl(#[from] HttpUrlError),
    /// A word in it is none of those that its version knows.
    #[error("a record with a word that its version does not know")]
    Word,
}

/// The record of an event.
pub fn encode_event(event: &Event) -> Result<Vec<u8>, CodecError> {
    encode(&v2::EventShape::from(event))
}

/// The event of a record.
pub fn decode_event(record: &[u8]) -> Result<Event, CodecError> {
    match version_of(record)? {
        (1, shape) => Ok(read::<v1::EventShape>(shape)?.into()),
        (VERSION, shape) => read::<v2::EventShape>(shape)?.try_into(),
        (version, _) => Err(CodecError::UnknownVersion(version)),
    }
}

/// The record of an alert as it stands.
pub fn encode_alert(alert: &Alert) -> Result<Vec<u8>, CodecError> {
    encode(&v2::AlertShape::from(alert))
}

/// The alert of a record.
pub fn decode_alert(record: &[u8]) -> Result<Alert, CodecError> {
    match version_of(record)? {
        (1, shape) => Ok(read::<v1::AlertShape>(shape)?.into()),
        (VERSION, shape) => read::<v2::AlertShape>(shape)?.try_into(),
        (version, _) => Err(CodecError::UnknownVersion(version)),
    }
}

/// The record of a chat message.
pub fn encode_message(message: &ChatMessage) -> Result<Vec<u8>, CodecError> {
    encode(&v2::ChatShape::from(message))
}

/// The chat message of a record.
pub fn decode_message(record: &[u8]) -> Result<ChatMessage, CodecError> {
    match version_of(record)? {
        (1, shape) => Ok(read::<v1::ChatShape>(shape)?.into()),
        (VERSION, shape) => Ok(read::<v2::ChatShape>(shape)?.into()),
        (version, _) => Err(CodecError::UnknownVersion(version)),
    }
}

/// The record of what a submission was answered when it was first seen.
pub fn encode_outcome(answer: &RecordedOutcome) -> Result<Vec<u8>, CodecError> {
    encode(&v2::OutcomeShape::from(answer))
}

/// The answer of a record, in the log that is called `epoch`.
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

/// The version of a record, and its shape.
fn version_of(record: &[u8]) -> Result<(u8, &[u8]), CodecError> {
    record.split_first().map(|(version, shape)| (*version, shape)).ok_or(CodecError::Empty)
}

fn read<'a, T: Deserialize<'a>>(shape: &'a [u8]) -> Result<T, CodecError> {
    Ok(serde_json::from_slice(shape)?)
}
