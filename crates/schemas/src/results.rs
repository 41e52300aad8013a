//! What came of an action: as a frame, and for each of many alerts.

use crate::encoding::encode;
use crate::problem::FieldProblem;
use crate::{ActionError, AlertBody, AlertState, Continuation};
use northgate_domain::{Alert, AlertId, Positioned, Rejection};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// The outcome of an action that happened.
const CHANGED: &str = "changed";

/// What came of one action.
#[derive(Debug, Clone, PartialEq)]
pub enum ActionOutcome {
    /// It happened: this is the alert afterwards.
    Changed(Positioned<Alert>),
    /// It held already: this is the alert.
    Unchanged(Positioned<Alert>),
    /// It did not happen.
    Refused(ActionError),
    /// It did not happen, or that is not known, because the server failed.
    Failed(ActionError),
}

impl ActionOutcome {
    /// The outcome of an action that ended with this alert; `changed` tells whether it did anything.
    pub fn done(alert: Positioned<Alert>, changed: bool) -> Self {
        if changed { Self::Changed(alert) } else { Self::Unchanged(alert) }
    }

    /// The outcome of an action that broke `rule`, or else failed in the store, which is known to
    /// have stored nothing if `is_unavailable`.
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

/// What came of it, in members that every shape has.
#[derive(Debug, Serialize, ToSchema)]
struct OutcomeBody<'a> {
    /// `changed`; `unchanged` if it held already; `refused`; or `failed` if the server could not,
    /// or does not know whether it did.
    outcome: &'static str,
    /// The alert as it stands, unless there is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    alert: Option<AlertBody<'a>>,
    /// Why it did not happen.
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

/// Why an action did not happen.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActionError)]
struct ActionErrorBody {
    /// A name of the kind of trouble that stays the same; for programs.
    #[serde(rename = "type")]
    #[schema(example = "urn:northgate:problem:contradiction")]
    kind: String,
    /// What happened, and what to do about it; for people.
    detail: String,
    /// Every bad field, if fields were the trouble.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldProblem>,
    /// The alert as it stands, if that was the trouble.
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

/// The answer to an `ActionFrame`, for the client that sent it alone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "result",
    "ref": "a1",
    "outcome": "refused",
    "error": {
        "type": "urn:northgate:problem:contradiction",
        "detail": "The alert is resolved by Ben, so that one cannot acknowledge it. Reopen it first.",
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
    /// The `ref` of the frame that this answers; null if it had none.
    #[serde(rename = "ref")]
    #[schema(value_type = Option<String>, required = true)]
    reference: &'a Value,
    #[serde(flatten)]
    outcome: OutcomeBody<'a>,
}

impl<'a> ResultFrame<'a> {
    /// What came of the frame that its client calls `reference`.
    pub fn new(reference: &'a Value, outcome: &'a ActionOutcome) -> Self {
        Self { kind: "result", reference, outcome: outcome.into() }
    }

    /// The frame's JSON.
    #[expect(clippy::expect_used, reason = "strings, numbers and maps of strings always encode")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("encoding strings cannot fail")
    }
}

/// What came of an action on one alert of many: no more than a client needs to know what to do
/// next, so that an answer about 1,000 alerts stays small.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionResult {
    /// The alert.
    id: Uuid,
    /// `changed`; `unchanged` if it held already; `refused`; or `failed` if the server could not,
    /// or does not know whether it did.
    outcome: &'static str,
    /// The revision of the alert as it stands, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    revision: Option<u64>,
    /// Why it did not happen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<BriefError>,
}

impl ActionResult {
    /// What came of an action on the alert `id`.
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

/// Why an action on one alert of many did not happen.
#[derive(Debug, Serialize, ToSchema)]
struct BriefError {
    /// A name of the kind of trouble that stays the same; for programs.
    #[serde(rename = "type")]
    #[schema(example = "urn:northgate:problem:contradiction")]
    kind: String,
    /// What happened, and what to do about it; for people.
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

/// What came of an action on many alerts.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionResults {
    /// What came of each, in the order of the ids, or from the oldest alert on.
    results: Vec<ActionResult>,
    /// How many alerts were acted on.
    count: usize,
    /// How many of them changed.
    changed: usize,
    /// What to put into the filter, beside what stands there, to act on the others that match it;
    /// null if there are none.
    #[schema(required = true)]
    rest: Option<Continuation>,
}

impl ActionResults {
    /// The results of one request; `rest` says where others match the filter as well.
    pub fn new(results: Vec<ActionResult>, rest: Option<Continuation>) -> Self {
        let is_changed = |result: &&ActionResult| result.outcome == CHANGED;
        let changed = results.iter().filter(is_changed).count();
        Self { count: results.len(), changed, results, rest }
    }

    /// The answer as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        encode(self)
    }
}
