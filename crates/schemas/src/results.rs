//! Outcomes of actions, as a frame or as the results of a bulk request.

use crate::encoding::encode;
use crate::problem::FieldProblem;
use crate::{ActionError, AlertBody, AlertState, Continuation};
use northgate_domain::{Alert, AlertId, Positioned, Rejection};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// Name of the outcome of an action that changed the alert.
const CHANGED: &str = "changed";

/// Outcome of one action.
#[derive(Debug, Clone, PartialEq)]
pub enum ActionOutcome {
    /// The action changed the alert. The value is the alert after the change.
    Changed(Positioned<Alert>),
    /// The alert already was in the requested state. The value is the current alert.
    Unchanged(Positioned<Alert>),
    /// The action was refused.
    Refused(ActionError),
    /// The server failed. The action was not stored, or the server does not know whether the action
    /// was stored.
    Failed(ActionError),
}

impl ActionOutcome {
    /// Creates the outcome of an action that succeeded. `alert` is the alert after the action, and
    /// `changed` states whether the action changed the alert.
    pub fn done(alert: Positioned<Alert>, changed: bool) -> Self {
        if changed { Self::Changed(alert) } else { Self::Unchanged(alert) }
    }

    /// Creates the outcome of an action that was not done. If `rule` is set, the action broke that
    /// rule. Otherwise the store failed: if `is_unavailable`, nothing was stored, and if not, the
    /// action may have been stored.
    pub fn not_done(rule: Option<&Rejection>, is_unavailable: bool) -> Self {
        match rule {
            Some(rule) => Self::Refused(rule.into()),
            None if is_unavailable => Self::Failed(ActionError::unavailable()),
            None => Self::Failed(ActionError::outcome_unknown()),
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Changed(_) => CHANGED,
            Self::Unchanged(_) => "unchanged",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }
}

/// Members of a result frame that describe the outcome.
#[derive(Debug, Serialize, ToSchema)]
struct OutcomeBody<'a> {
    /// `changed`: the action changed the alert. `unchanged`: the alert already was in the requested
    /// state. `refused`: the action is not possible. `failed`: the server did not store the action,
    /// or does not know whether the action was stored.
    outcome: &'static str,
    /// The current alert. The member is absent if there is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    alert: Option<AlertBody<'a>>,
    /// Reason why the action was refused or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<ActionErrorBody>,
}

impl<'a> From<&'a ActionOutcome> for OutcomeBody<'a> {
    fn from(outcome: &'a ActionOutcome) -> Self {
        let (alert, error) = match outcome {
            ActionOutcome::Changed(alert) | ActionOutcome::Unchanged(alert) => {
                (Some(alert.into()), None)
            }
            ActionOutcome::Refused(refusal) | ActionOutcome::Failed(refusal) => {
                (None, Some(refusal.into()))
            }
        };
        Self { outcome: outcome.name(), alert, error }
    }
}

/// Reason why an action was refused or failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActionError)]
struct ActionErrorBody {
    /// Stable name of the kind of error, for programs.
    #[serde(rename = "type")]
    #[schema(example = "urn:northgate:problem:contradiction")]
    kind: String,
    /// Description of the error and of what to do about it, for people.
    detail: String,
    /// All field errors, if invalid fields are the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldProblem>,
    /// The current alert, if its state or revision is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    alert: Option<AlertState>,
}

impl From<&ActionError> for ActionErrorBody {
    fn from(refusal: &ActionError) -> Self {
        Self {
            kind: format!("urn:northgate:problem:{}", refusal.slug),
            detail: refusal.detail.clone(),
            errors: refusal.findings.as_ref().map(FieldProblem::of_body).unwrap_or_default(),
            alert: refusal.alert.as_deref().map(AlertState::from),
        }
    }
}

/// The answer to an `ActionFrame`. Only the client that sent the action receives this frame.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "result",
    "ref": "a1",
    "outcome": "refused",
    "error": {
        "type": "urn:northgate:problem:contradiction",
        "detail": "Cannot acknowledge the alert because it is resolved (by Ben). Reopen it first.",
        "alert": {
            "id": "5c54e4c8-7a07-4d4f-9d0a-3f2f6c1c2d11",
            "status": "resolved",
            "revision": 3,
            "resolved_by": "Ben",
            "updated_at": "2025-07-24T14:25:00.000000Z"
        }
    }
}))]
pub struct ResultFrame<'a> {
    /// Always `result`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The `ref` of the `ActionFrame`, or null if that frame had no valid `ref`.
    #[serde(rename = "ref")]
    #[schema(value_type = Option<String>, required = true)]
    reference: &'a Value,
    #[serde(flatten)]
    outcome: OutcomeBody<'a>,
}

impl<'a> ResultFrame<'a> {
    /// Creates the answer to the frame whose `ref` is `reference`.
    pub fn new(reference: &'a Value, outcome: &'a ActionOutcome) -> Self {
        Self { kind: "result", reference, outcome: outcome.into() }
    }

    /// Returns the frame as JSON.
    #[expect(clippy::expect_used, reason = "strings, numbers and maps of strings always encode")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("encoding strings cannot fail")
    }
}

/// Outcome of a bulk action on one of its alerts. The outcome does not contain the alert, so that
/// an answer about 1,000 alerts stays small.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionResult {
    /// Id of the alert.
    id: Uuid,
    /// `changed`: the action changed the alert. `unchanged`: the alert already was in the requested
    /// state. `refused`: the action is not possible. `failed`: the server did not store the action,
    /// or does not know whether the action was stored.
    outcome: &'static str,
    /// The current revision of the alert, if the server knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    revision: Option<u64>,
    /// Reason why the action was refused or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<BriefError>,
}

impl ActionResult {
    /// Creates the outcome of an action on the alert `id`.
    pub fn new(id: AlertId, outcome: &ActionOutcome) -> Self {
        let (alert, error) = match outcome {
            ActionOutcome::Changed(alert) | ActionOutcome::Unchanged(alert) => {
                (Some(&alert.value), None)
            }
            ActionOutcome::Refused(refusal) | ActionOutcome::Failed(refusal) => {
                (refusal.alert.as_deref(), Some(refusal.into()))
            }
        };
        let revision = alert.map(|alert| alert.revision.get());
        Self { id: id.0, outcome: outcome.name(), revision, error }
    }
}

/// Reason why a bulk action was refused or failed for one alert.
#[derive(Debug, Serialize, ToSchema)]
struct BriefError {
    /// Stable name of the kind of error, for programs.
    #[serde(rename = "type")]
    #[schema(example = "urn:northgate:problem:contradiction")]
    kind: String,
    /// Description of the error and of what to do about it, for people.
    detail: String,
}

impl From<&ActionError> for BriefError {
    fn from(refusal: &ActionError) -> Self {
        Self {
            kind: format!("urn:northgate:problem:{}", refusal.slug),
            detail: refusal.detail.clone(),
        }
    }
}

/// Outcomes of an action on many alerts.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionResults {
    /// One outcome per alert. The order is that of `ids`. For a filter, the oldest alert is first.
    results: Vec<ActionResult>,
    /// Number of alerts in `results`.
    count: usize,
    /// Number of alerts that changed.
    changed: usize,
    /// Parameter of a next request that acts on the remaining alerts: add this parameter to the
    /// same filter. The value is null if no alerts remain.
    #[schema(required = true)]
    rest: Option<Continuation>,
}

impl ActionResults {
    /// Creates the answer to one request. `rest` is the parameter that selects the remaining
    /// alerts.
    pub fn new(results: Vec<ActionResult>, rest: Option<Continuation>) -> Self {
        let is_changed = |result: &&ActionResult| result.outcome == CHANGED;
        let changed = results.iter().filter(is_changed).count();
        Self { count: results.len(), changed, results, rest }
    }

    /// Returns the answer as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        encode(self)
    }
}
