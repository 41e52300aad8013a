//! Reasons why an action on an alert was refused or failed. HTTP answers, frames and the results of
//! a bulk request use the same texts.

use crate::FieldErrors;
use northgate_domain::{Action, Alert, Rejection, StatusKind};

/// Reason why an action was refused or failed.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionError {
    /// Stable name of the kind of error, for programs.
    pub slug: &'static str,
    /// Description of the error and of what to do about it, for people.
    pub detail: String,
    /// The current alert, if its state or revision is the reason.
    pub alert: Option<Box<Alert>>,
    /// All field errors, if invalid fields are the reason.
    pub findings: Option<FieldErrors>,
}

impl ActionError {
    /// Creates an error without an alert and without field errors.
    pub fn new(slug: &'static str, detail: impl Into<String>) -> Self {
        Self { slug, detail: detail.into(), alert: None, findings: None }
    }

    /// Creates the error for a store that accepts no events now. Nothing was stored.
    pub fn unavailable() -> Self {
        Self::new(
            "unavailable",
            "The server cannot store events now; /health/ready states the reason. Nothing was \
             changed. Try again later.",
        )
    }

    /// Creates the error for a store that failed when the action may already have been stored.
    pub fn outcome_unknown() -> Self {
        Self::new(
            "outcome-unknown",
            "The store failed during this action, so the action may or may not be stored. Read the \
             alert before you try again.",
        )
    }

    /// Creates the error for invalid fields.
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
                    "must be in the future; omit it if the alert must not expire",
                );
                Self::invalid(&findings)
            }
            Rejection::Outdated { present } => {
                let detail = format!(
                    "The current revision of the alert is {}, not the expected revision. Read the \
                     alert again before you act on it.",
                    present.revision.get()
                );
                Self { alert: Some(present.clone()), ..Self::new("outdated", detail) }
            }
        }
    }
}

/// Describes the status that does not allow the action, and what the client can do instead.
fn contradiction(action: Action, present: &Alert) -> String {
    let status = match present.status.kind() {
        StatusKind::Open => "open".to_owned(),
        StatusKind::Acknowledged => marked("acknowledged", present),
        StatusKind::Resolved => marked("resolved", present),
    };
    let help = match action {
        Action::Acknowledge | Action::Unacknowledge => "Reopen it first.",
        Action::Reopen => "Only a resolved alert can be reopened. Use unacknowledge instead.",
        Action::Resolve | Action::Annotate => "",
    };
    format!("Cannot {} the alert because it is {status}. {help}", action.name())
        .trim_end()
        .to_owned()
}

fn marked(status: &str, present: &Alert) -> String {
    let mark = present.status.resolved().or(present.status.acknowledged());
    mark.map_or_else(|| status.to_owned(), |mark| format!("{status} (by {})", mark.by))
}
