//! The persisted form of what a durable store keeps: versioned records, apart from the wire's
//! shapes, so that either can change without the other.
//!
//! A record is one byte, the version of its shape, and then JSON of that shape with short names.
//! Positions are offsets only: the epoch belongs to the log and not to what stands in it.
//!
//! A shape that was released never changes. One that needs more is a new version, and the old one
//! stays readable: databases are older than the programs that open them.

mod shapes;

use crate::Answer;
use northgate_domain::{Alert, ChatMessage, Epoch, Event, TextError};
use serde::{Deserialize, Serialize};
use shapes::{AlertShape, AnswerShape, ChatShape, EventShape};

/// The version of the shapes that are written now.
pub const VERSION: u8 = 1;

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
    /// A text in it is none that the domain accepts.
    #[error("a record with a text that is not accepted")]
    Text(#[from] TextError),
}

/// The record of an event.
pub fn encode_event(event: &Event) -> Result<Vec<u8>, CodecError> {
    encode(&EventShape::from(event))
}

/// The event of a record.
pub fn decode_event(record: &[u8]) -> Result<Event, CodecError> {
    Ok(decode::<EventShape>(record)?.try_into()?)
}

/// The record of an alert as it stands.
pub fn encode_alert(alert: &Alert) -> Result<Vec<u8>, CodecError> {
    encode(&AlertShape::from(alert))
}

/// The alert of a record.
pub fn decode_alert(record: &[u8]) -> Result<Alert, CodecError> {
    Ok(decode::<AlertShape>(record)?.try_into()?)
}

/// The record of a chat message.
pub fn encode_message(message: &ChatMessage) -> Result<Vec<u8>, CodecError> {
    encode(&ChatShape::from(message))
}

/// The chat message of a record.
pub fn decode_message(record: &[u8]) -> Result<ChatMessage, CodecError> {
    Ok(decode::<ChatShape>(record)?.try_into()?)
}

/// The record of what a submission was answered when it was first seen.
pub fn encode_answer(answer: &Answer) -> Result<Vec<u8>, CodecError> {
    encode(&AnswerShape::from(answer))
}

/// The answer of a record, in the log that is called `epoch`.
pub fn decode_answer(record: &[u8], epoch: Epoch) -> Result<Answer, CodecError> {
    Ok(decode::<AnswerShape>(record)?.into_answer(epoch)?)
}

fn encode(shape: &impl Serialize) -> Result<Vec<u8>, CodecError> {
    let mut record = vec![VERSION];
    serde_json::to_writer(&mut record, shape)?;
    Ok(record)
}

fn decode<'a, T: Deserialize<'a>>(record: &'a [u8]) -> Result<T, CodecError> {
    match record.split_first() {
        None => Err(CodecError::Empty),
        Some((&VERSION, shape)) => Ok(serde_json::from_slice(shape)?),
        Some((&version, _)) => Err(CodecError::UnknownVersion(version)),
    }
}
