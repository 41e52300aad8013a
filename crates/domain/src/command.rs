//! What somebody wants to happen. A command may be refused; an event has happened.

use crate::named::named;
use crate::{
    AlertId, DedupKey, HttpUrl, Labels, Location, MessageText, NoteText, Operator, Revision,
    Sender, Severity, Source, StatusKind, Timestamp,
};
use std::num::NonZeroU32;

/// A wish, already parsed: every text in it is within its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Something happened somewhere.
    RaiseAlert(RaiseAlert),
    /// An operator does something about an alert.
    ActOnAlert(ActOnAlert),
    /// An operator says something.
    PostMessage(PostMessage),
}

/// What an alert is raised with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaiseAlert {
    /// What happened.
    pub message: MessageText,
    /// Where it happened.
    pub location: Location,
    /// Which system says so.
    pub source: Option<Source>,
    /// How bad it is.
    pub severity: Severity,
    /// By what else it can be found.
    pub labels: Labels,
    /// Where more is to be read.
    pub url: Option<HttpUrl>,
    /// While an alert with this key is not over, this is a repeat of that one.
    pub dedup_key: Option<DedupKey>,
    /// When it resolves by itself.
    pub expires_at: Option<Timestamp>,
    /// How often it happened: repeats that came close together are one command.
    pub times: NonZeroU32,
    /// The latest end that any of those was raised with. It is for an alert that they repeat and
    /// that has an end; one that they begin has the end of the first.
    pub latest_end: Option<Timestamp>,
}

impl RaiseAlert {
    /// What happened where, once, and nothing else.
    pub fn new(message: MessageText, location: Location) -> Self {
        Self {
            message,
            location,
            source: None,
            severity: Severity::default(),
            labels: Labels::default(),
            url: None,
            dedup_key: None,
            expires_at: None,
            times: NonZeroU32::MIN,
            latest_end: None,
        }
    }

    /// Whether the alert would be over at that moment, and all of its repeats too.
    pub fn is_over_at(&self, now: Timestamp) -> bool {
        self.expires_at.max(self.latest_end).is_some_and(|end| end <= now)
    }
}

/// Something that is done about an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActOnAlert {
    /// Which alert.
    pub alert: AlertId,
    /// What is done.
    pub action: Action,
    /// Who does it.
    pub by: Operator,
    /// What there is to say about it. [`Action::Annotate`] is nothing without it.
    pub note: Option<NoteText>,
    /// Only if the alert is still as it was seen: at one of these revisions.
    pub expected: Option<Vec<Revision>>,
}

named! {
    /// What can be done about an alert.
    pub enum Action {
        /// Take it on.
        Acknowledge = "acknowledge",
        /// Give it back.
        Unacknowledge = "unacknowledge",
        /// End it.
        Resolve = "resolve",
        /// It is not over after all.
        Reopen = "reopen",
        /// Write a note.
        Annotate = "annotate",
    }
}

impl Action {
    /// The statuses that it changes something about.
    pub const fn changes(self) -> &'static [StatusKind] {
        match self {
            Self::Acknowledge => &[StatusKind::Open],
            Self::Unacknowledge => &[StatusKind::Acknowledged],
            Self::Resolve => &StatusKind::UNRESOLVED,
            Self::Reopen => &[StatusKind::Resolved],
            Self::Annotate => &StatusKind::ALL,
        }
    }
}

/// What a chat message is posted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostMessage {
    /// Who says it.
    pub sender: Sender,
    /// What is said.
    pub message: MessageText,
    /// The alert that it is about, which must be there.
    pub alert_id: Option<AlertId>,
}

/// The alert whose state decides a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The one with this id.
    Id(AlertId),
    /// Of those with this key that are not over, the one that was raised last. There is more than
    /// one only if one was reopened beside another.
    OpenKey(&'a DedupKey),
}

impl Command {
    /// The alert whose state decides this command: the one that a store loads before it calls
    /// [`decide`](crate::decide). What makes something new has none: ids are drawn at random from
    /// so many that no store needs to look whether one is taken.
    pub fn subject(&self) -> Option<Subject<'_>> {
        match self {
            Self::RaiseAlert(raise) => raise.dedup_key.as_ref().map(Subject::OpenKey),
            Self::ActOnAlert(act) => Some(Subject::Id(act.alert)),
            Self::PostMessage(post) => post.alert_id.map(Subject::Id),
        }
    }
}
