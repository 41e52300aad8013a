//! Why an alert is not acted on, in words: the same over HTTP, over a socket, and for each of many.

use crate::FieldErrors;
use northgate_domain::{Action, Alert, Rejection, StatusKind};

/// What whoever is refused is told.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionError {
    /// The name of the kind of refusal that stays the same; for programs.
    pub slug: &'static str,
    /// What happened, and what to do about it; for people.
    pub detail: String,
    /// The alert as it stands, if that was the trouble.
    pub alert: Option<Box<Alert>>,
    /// Every bad field, if fields were the trouble.
    pub findings: Option<FieldErrors>,
}

impl ActionError {
    /// A refusal that is about no alert.
    pub fn new(slug: &'static str, detail: impl Into<String>) -> Self {
        Self { slug, detail: detail.into(), alert: None, findings: None }
    }

    /// Nothing is taken now.
    pub fn unavailable() -> Self {
        Self::new("unavailable", "Nothing is taken now, and nothing was kept. Try again later.")
    }

    /// The store failed too late to know.
    pub fn outcome_unknown() -> Self {
        Self::new(
            "outcome-unknown",
            "It is not known whether this was kept. Look before trying again.",
        )
    }

    /// Fields are wrong.
    pub fn invalid(findings: &FieldErrors) -> Self {
        let detail = "Some fields are not valid; see errors.";
        Self { findings: Some(findings.clone()), ..Self::new("invalid", detail) }
    }
}

impl From<&Rejection> for ActionError {
    fn from(rejection: &Rejection) -> Self {
        match rejection {
            Rejection::NoSuchAlert(_) => {
                Self::new("no-such-alert", "There is no alert with this id.")
            }
            Rejection::Contradicts { action, present } => {
                let detail = contradiction(*action, present);
                Self { alert: Some(present.clone()), ..Self::new("contradiction", detail) }
            }
            Rejection::AlreadyOver => {
                let mut findings = FieldErrors::default();
                findings.add(
                    "expires_at",
                    "must lie in the future; leave it out if the alert does not end by itself",
                );
                Self::invalid(&findings)
            }
            Rejection::Outdated { present } => {
                let detail = format!(
                    "The alert is at revision {} now, and not at the one that was asked for. \
                     Look at it again before acting on it.",
                    present.revision.get()
                );
                Self { alert: Some(present.clone()), ..Self::new("outdated", detail) }
            }
        }
    }
}

/// What stands in the way, and what would help.
fn contradiction(action: Action, present: &Alert) -> String {
    let status = match present.status.kind() {
        StatusKind::Open => "open".to_owned(),
        StatusKind::Acknowledged => marked("acknowledged", present),
        StatusKind::Resolved => marked("resolved", present),
    };
    let help = match action {
        Action::Acknowledge | Action::Unacknowledge => "Reopen it first.",
        Action::Reopen => "Only what is resolved can be reopened; unacknowledge gives it back.",
        Action::Resolve | Action::Annotate => "",
    };
    format!("The alert is {status}, so that one cannot {} it. {help}", action.name())
        .trim_end()
        .to_owned()
}

fn marked(status: &str, present: &Alert) -> String {
    let mark = present.status.resolved().or(present.status.acknowledged());
    mark.map_or_else(|| status.to_owned(), |mark| format!("{status} by {}", mark.by))
}
