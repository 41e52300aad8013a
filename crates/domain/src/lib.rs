//! The model of Northgate and its rules: what an alert is, what may happen to it, and in which
//! order. Nothing here does I/O, and nothing here knows JSON, HTTP or a database.
#![warn(missing_docs)]

mod alert;
mod chat;
mod command;
mod decide;
mod event;
mod position;
mod search;
mod stamp;
mod text;

pub use alert::{Alert, AlertId, Revision};
pub use chat::{ChatMessage, MessageId};
pub use command::{Command, PostMessage, RaiseAlert};
pub use decide::{Decision, Rejection, decide, evolve};
pub use event::{AlertChange, AlertEvent, Event, Stamped};
pub use position::{Epoch, Position};
pub use search::{Search, SearchText, SearchTooLong};
pub use stamp::{Stamp, Stamps, Timestamp};
pub use text::{Location, MessageText, Sender, Source, TextError};
