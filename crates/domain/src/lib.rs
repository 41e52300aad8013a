//! The domain model and the rules of Northgate: alerts, commands on alerts, and events. This crate
//! does no I/O, and does not depend on JSON, HTTP or a database.
#![warn(missing_docs)]

mod alert;
mod alert_counts;
mod chat;
mod clock;
mod command;
mod deadlines;
mod decide;
mod event;
mod event_filter;
mod event_meta;
mod history_page;
mod http_url;
mod labels;
mod named;
mod notes;
mod position;
mod query;
mod search;
mod severity;
mod size;
mod status;
mod subscription;
mod text;
mod timeline;

pub use alert::{Alert, AlertId, Revision};
pub use alert_counts::{AlertCounts, Summary};
pub use chat::{ChatMessage, MessageId};
pub use clock::{Clock, Timestamp};
pub use command::{ActOnAlert, Action, Command, PostMessage, RaiseAlert, Subject};
pub use deadlines::{Deadlines, Overdue};
pub use decide::{Decision, Rejection, decide, evolve};
pub use event::{AlertChange, AlertEvent, Event, Positioned};
pub use event_filter::{AlertFacets, EventFilter, EventType, Facets};
pub use event_meta::{EventMeta, IdSource, MetaSource};
pub use history_page::HistoryPage;
pub use http_url::{HttpUrl, HttpUrlError};
pub use labels::{Label, LabelError, LabelName, Labels};
pub use notes::{Note, Notes};
pub use position::{Epoch, Position};
pub use query::{AlertQuery, HistoryRange, MessageQuery, SeverityFilter};
pub use search::{Search, SearchText, SearchTooLong};
pub use severity::Severity;
pub use status::{Attribution, Status, StatusKind};
pub use subscription::{Notice, StartFrom, Subscription};
pub use text::{
    DedupKey, LabelValue, Location, MessageText, NoteText, Operator, Sender, Source, TextError,
};
pub use timeline::{AlertTimeline, RememberedChange};
