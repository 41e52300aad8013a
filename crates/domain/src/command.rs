//! Commands: requested changes. A command can be rejected; an event has already happened.

use crate::named::named;
use crate::{
    AlertId, DedupKey, HttpUrl, Labels, Location, MessageText, NoteText, Operator, Revision,
    Sender, Severity, Source, StatusKind, Timestamp,
};
use std::num::NonZeroU32;

/// A requested change. All fields are parsed, so every text is within its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A sender raises an alert, or repeats an unresolved alert.
    RaiseAlert(RaiseAlert),
    /// An operator acts on an alert.
    ActOnAlert(ActOnAlert),
    /// An operator posts a chat message.
    PostMessage(PostMessage),
}

/// Content of a request to raise an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaiseAlert {
    /// Description of what happened.
    pub message: MessageText,
    /// Location of what happened.
    pub location: Location,
    /// System that raises the alert, if the request states a source.
    pub source: Option<Source>,
    /// Severity of this raise.
    pub severity: Severity,
    /// Searchable name/value pairs.
    pub labels: Labels,
    /// Address of a page with more information.
    pub url: Option<HttpUrl>,
    /// Deduplication key. If an unresolved alert has the same key, this raise is a repeat of that
    /// alert.
    pub dedup_key: Option<DedupKey>,
    /// Time at which the alert is to be resolved automatically.
    pub expires_at: Option<Timestamp>,
    /// Number of raises in this command. Repeats that arrive within a short time are combined into
    /// one command.
    pub times: NonZeroU32,
    /// Latest expiry time of all raises in this command except the first. If the raises repeat an
    /// alert that has an expiry time, the later one of `latest_end` and `expires_at` is used. If
    /// the raises create an alert, only `expires_at` is used.
    pub latest_end: Option<Timestamp>,
}

impl RaiseAlert {
    /// Creates a single raise with a message and a location, and defaults for everything else.
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

    /// Returns whether this raise has an expiry time and none of its expiry times is after `now`.
    pub fn is_over_at(&self, now: Timestamp) -> bool {
        self.expires_at.max(self.latest_end).is_some_and(|end| end <= now)
    }
}

/// An action of an operator on an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActOnAlert {
    /// Id of the alert.
    pub alert: AlertId,
    /// Action to perform.
    pub action: Action,
    /// Operator who acts.
    pub by: Operator,
    /// Note to add to the alert. [`Action::Annotate`] without a note changes nothing.
    pub note: Option<NoteText>,
    /// Revisions that the client accepts. If the alert has another revision, the action is
    /// rejected. `None` accepts every revision.
    pub expected: Option<Vec<Revision>>,
}

named! {
    /// An action that an operator can perform on an alert.
    pub enum Action {
        /// Become the owner of the alert.
        Acknowledge = "acknowledge",
        /// Remove the owner of the alert: the alert is open again.
        Unacknowledge = "unacknowledge",
        /// Close the alert.
        Resolve = "resolve",
        /// Open a resolved alert again.
        Reopen = "reopen",
        /// Add a note without a change of status.
        Annotate = "annotate",
    }
}

impl Action {
    /// Returns the statuses in which the action has an effect.
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

/// Content of a request to post a chat message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostMessage {
    /// Name of the author.
    pub sender: Sender,
    /// Text of the message.
    pub message: MessageText,
    /// Alert whose thread contains the message, if any. The alert must exist.
    pub alert_id: Option<AlertId>,
}

/// Identifies the alert whose state decides a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The alert with this id.
    Id(AlertId),
    /// The unresolved alert with this key. If several alerts with this key are unresolved, because
    /// one of them was reopened, the subject is the alert that was raised last.
    OpenKey(&'a DedupKey),
}

impl Command {
    /// Returns the alert whose state decides this command. A store loads that alert before it calls
    /// [`decide`](crate::decide). A command that always creates an alert or a message has no
    /// subject. Stores do not check whether the new random id exists already, because a collision
    /// is too unlikely.
    pub fn subject(&self) -> Option<Subject<'_>> {
        match self {
            Self::RaiseAlert(raise) => raise.dedup_key.as_ref().map(Subject::OpenKey),
            Self::ActOnAlert(act) => Some(Subject::Id(act.alert)),
            Self::PostMessage(post) => post.alert_id.map(Subject::Id),
        }
    }
}
