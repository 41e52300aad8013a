//! What came of an action: as a frame, and for each of many alerts.

use crate::problem::FieldProblem;
use crate::{AlertBody, AlertState, Refusal, Rest};
use northgate_domain::{Alert, AlertId, Stamped};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// What came of one action.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It happened: this is the alert afterwards.
    Changed(Stamped<Alert>),
    /// It held already: this is the alert.
    Unchanged(Stamped<Alert>),
    /// It did not happen.
    Refused(Refusal),
    /// It did not happen, or that is not known, because the server failed.
    Failed(Refusal),
}

impl Outcome {
    const fn name(&self) -> &'static str {
        match self {
            Self::Changed(_) => "changed",
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
    error: Option<ActionError>,
}

impl<'a> From<&'a Outcome> for OutcomeBody<'a> {
    fn from(outcome: &'a Outcome) -> Self {
        let (alert, error) = match outcome {
            Outcome::Changed(alert) | Outcome::Unchanged(alert) => (Some(alert.into()), None),
            Outcome::Refused(refusal) | Outcome::Failed(refusal) => (None, Some(refusal.into())),
        };
        Self { outcome: outcome.name(), alert, error }
    }
}

/// Why an action did not happen.
#[derive(Debug, Serialize, ToSchema)]
struct ActionError {
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

impl From<&Refusal> for ActionError {
    fn from(refusal: &Refusal) -> Self {
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
    #[schema(value_type = Option<String>)]
    reference: &'a Value,
    #[serde(flatten)]
    outcome: OutcomeBody<'a>,
}

impl<'a> ResultFrame<'a> {
    /// What came of the frame that its client calls `reference`.
    pub fn new(reference: &'a Value, outcome: &'a Outcome) -> Self {
        Self { kind: "result", reference, outcome: outcome.into() }
    }

    /// The frame's JSON.
    #[expect(clippy::expect_used, reason = "strings, numbers and maps of strings always encode")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("encoding strings cannot fail")
    }
}

/// What came of an action on one alert of many.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionResult<'a> {
    /// The alert.
    id: Uuid,
    #[serde(flatten)]
    outcome: OutcomeBody<'a>,
}

/// What came of an action on many alerts.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionResults<'a> {
    /// What came of each, in the order of the ids, or from the oldest alert on.
    results: Vec<ActionResult<'a>>,
    /// How many alerts were acted on.
    count: usize,
    /// How many of them changed.
    changed: usize,
    /// What to put into the filter, beside what stands there, to act on the others that match it;
    /// null if there are none.
    rest: Option<Rest>,
}

impl<'a> ActionResults<'a> {
    /// The results of one request; `rest` says where others match the filter as well.
    pub fn new(results: &'a [(AlertId, Outcome)], rest: Option<Rest>) -> Self {
        let changed = |(_, outcome): &&(AlertId, Outcome)| matches!(outcome, Outcome::Changed(_));
        let body = |(id, outcome): &'a (AlertId, Outcome)| ActionResult {
            id: id.0,
            outcome: outcome.into(),
        };
        Self {
            count: results.len(),
            changed: results.iter().filter(changed).count(),
            results: results.iter().map(body).collect(),
            rest,
        }
    }
}
