//! The wire contract: every JSON shape that Northgate receives or sends, and the only encoder of
//! events. These shapes are separate from the domain model, so that each can change without the
//! other.
#![warn(missing_docs)]

mod action_error;
mod actions;
mod alerts;
mod bodies;
mod collections;
mod conditions;
mod encoding;
mod fields;
mod frames;
mod history;
mod notices;
mod position;
mod problem;
#[cfg(test)]
mod request_shapes;
mod requests;
mod results;
mod scalars;
mod stream;
mod timeline;

pub use action_error::ActionError;
pub use actions::{
    ActionFrame, Actions, ClientRequest, MOST_ACTED_ON, NewAction, NewActions, NewNote, Targets,
};
pub use alerts::{AlertBody, AlertState, AlertUpdateBody, NoteBody};
pub use bodies::{ChatBody, Health, Welcome, encode_event};
pub use collections::{AlertCollection, AlertSummary, MessageCollection};
pub use fields::{BodyError, FieldErrors};
pub use frames::{ErrorFrame, INVALID_CHAT_MESSAGE};
pub use history::{Continuation, LIMIT_DEFAULT, LIMIT_MAX, Order, parse_history};
pub use notices::{BusyNotice, LiveNotice, ResumeNotice, notice_json, notice_name};
pub use position::{PositionError, PositionText, encode_position, parse_position};
pub use problem::{FieldProblem, Problem};
pub use requests::{NewAlert, NewMessage};
pub use results::{ActionOutcome, ActionResult, ActionResults, ResultFrame};
pub use scalars::TimestampText;
pub use stream::{EventTypeName, LAST_MAX, parse_subscription};
pub use timeline::{TIMELINE_LIMIT_DEFAULT, TimelineBody, TimelineEntry, parse_timeline};
