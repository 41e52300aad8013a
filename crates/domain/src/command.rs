//! Commands: requested changes. A command can be rejected; an event has already happened.

use crate::named::named;
use crate::{
    AlertId, DedupKey, HttpUrl, Labels, Location, MessageText, NoteText, Operator, Revision,
    Sender, Severity, Source, StatusKind, Timestamp,
};
use std::num::NonZeroU32;

/// A requested change. Its fields are parsed: every text is within its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A sender raises an alert, or repeats one.
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
    /// Location where it happened.
    pub location: Location,
    /// System that raises the alert, if it sent its name.
    pub source: Option<Source>,
    /// Severity of this raise.
    pub severity: Severity,
    /// Searchable name/value pairs.
    pub labels: Labels,
    /// Address of a page with more information.
    pub url: Option<HttpUrl>,
    /// Key that makes this raise a repeat of the unresolved alert with the same key, if any.
    pub dedup_key: Option<DedupKey>,
    /// Time at which the alert is to be resolved automatically.
    pub expires_at: Option<Timestamp>,
    /// Number of raises in this command: repeats that arrive close together are combined into one.
    pub times: NonZeroU32,
    /// Latest `expires_at` of the combined raises. It applies if they repeat an alert that has an
    /// expiry time. If they create an alert, that alert gets the `expires_at` of the first raise.
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

    /// Returns whether all expiry times of this raise have passed at `now`. Without an expiry time,
    /// the result is false.
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
    /// Revisions at which the alert may be acted on. At any other revision the action is rejected.
    pub expected: Option<Vec<Revision>>,
}

named! {
    /// An action that an operator can perform on an alert.
    pub enum Action {
        /// Become the owner of the alert.
        Acknowledge = "acknowledge",
        /// Give up ownership: the alert is open again.
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
    /// Alert to whose thread the message belongs. The alert must exist.
    pub alert_id: Option<AlertId>,
}

/// Identifies the alert whose state decides a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The alert with this id.
    Id(AlertId),
    /// The unresolved alert with this key. If several are unresolved, because one was reopened
    /// while another was open, it is the one that was raised last.
    OpenKey(&'a DedupKey),
}

impl Command {
    /// Returns the alert whose state decides this command. A store loads that alert before it calls
    /// [`decide`](crate::decide). A command that always creates something has no subject: stores do
    /// not check whether the new random id exists already, because a collision is too unlikely.
    pub fn subject(&self) -> Option<Subject<'_>> {
        match self {
            Self::RaiseAlert(raise) => raise.dedup_key.as_ref().map(Subject::OpenKey),
            Self::ActOnAlert(act) => Some(Subject::Id(act.alert)),
            Self::PostMessage(post) => post.alert_id.map(Subject::Id),
        }
    }
}
