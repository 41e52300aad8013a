//! The wire contract: every JSON shape that leaves or enters Northgate, and the one encoder from
//! an event to bytes. The shapes are apart from the model, so that either can change alone.
#![warn(missing_docs)]

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
mod refusal;
mod requests;
mod results;
mod scalars;
mod stream;

pub use actions::{
    ActionFrame, Actions, ClientMessage, MOST_ACTED_ON, NewAction, NewActions, NewNote, Which,
};
pub use alerts::{AlertBody, AlertState, AlertUpdateBody, NoteBody};
pub use bodies::{ChatBody, Health, Welcome, encode_event};
pub use collections::{AlertCollection, AlertSummary, MessageCollection};
pub use fields::{BodyError, Findings};
pub use frames::{ErrorFrame, INVALID_CHAT_MESSAGE};
pub use history::{HistoryRequest, LIMIT_DEFAULT, LIMIT_MAX, Order, Part, Rest};
pub use notices::{BusyNotice, LiveNotice, Notice, ResumeNotice};
pub use position::{PositionError, PositionText, parse_position};
pub use problem::{FieldProblem, Problem};
pub use refusal::Refusal;
pub use requests::{NewAlert, NewMessage};
pub use results::{ActionResult, ActionResults, Outcome, ResultFrame};
pub use scalars::TimestampText;
pub use stream::{AlertFacets, Beginning, EventFilter, EventType, Facets, LAST_MAX, StreamRequest};
