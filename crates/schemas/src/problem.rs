//! Errors over HTTP: RFC 9457 problem details.

use crate::{AlertState, FieldErrors};
use northgate_domain::Alert;
use serde::Serialize;
use utoipa::ToSchema;

/// A problem, as `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "urn:northgate:problem:invalid",
    "title": "Unprocessable Entity",
    "status": 422,
    "detail": "Some fields of the body are not valid.",
    "errors": [{ "pointer": "#/message", "detail": "must not be blank" }]
}))]
pub struct Problem {
    /// A name of the kind of problem that stays the same; for programs.
    #[serde(rename = "type")]
    #[schema(value_type = String, format = "uri")]
    kind: String,
    /// The status in words.
    title: &'static str,
    /// The HTTP status code.
    status: u16,
    /// What happened, and what to do about it; for people.
    detail: String,
    /// Every bad field of the body, if fields were the trouble.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// The alert as it stands, if that was the trouble.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    alert: Option<AlertState>,
}

/// One bad field.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where in the body: a JSON pointer as a URI fragment (RFC 6901 section 6).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "#/message", nullable = false)]
    pointer: Option<String>,
    /// Which query parameter, if it is not about the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parameter: Option<String>,
    /// What is wrong there.
    #[schema(example = "must not be blank")]
    detail: String,
}

impl FieldProblem {
    /// One for each bad field of a body.
    pub(crate) fn of_body(findings: &FieldErrors) -> Vec<Self> {
        let problem = |(field, detail): (&str, &str)| Self {
            pointer: Some(if field.is_empty() { "#".to_owned() } else { format!("#/{field}") }),
            parameter: None,
            detail: detail.to_owned(),
        };
        findings.sorted().into_iter().map(problem).collect()
    }

    /// One for each bad parameter of a query.
    pub(crate) fn of_query(findings: &FieldErrors) -> Vec<Self> {
        let problem = |(name, detail): (&str, &str)| Self {
            pointer: None,
            parameter: Some(name.to_owned()),
            detail: detail.to_owned(),
        };
        findings.sorted().into_iter().map(problem).collect()
    }
}

impl Problem {
    /// The media type of a problem.
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    /// A problem of the kind `slug`, with the status in numbers and in words.
    pub fn new(slug: &str, status: u16, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:northgate:problem:{slug}"),
            title,
            status,
            detail: detail.into(),
            errors: Vec::new(),
            alert: None,
        }
    }

    /// The same problem with the alert that stands in the way.
    #[must_use]
    pub fn with_alert(mut self, alert: &Alert) -> Self {
        self.alert = Some(alert.into());
        self
    }

    /// The same problem with every bad field of the body.
    #[must_use]
    pub fn with_body(mut self, findings: &FieldErrors) -> Self {
        self.errors = FieldProblem::of_body(findings);
        self
    }

    /// The same problem with every bad parameter of the query.
    #[must_use]
    pub fn with_query(mut self, findings: &FieldErrors) -> Self {
        self.errors = FieldProblem::of_query(findings);
        self
    }

    /// The problem's JSON.
    #[expect(clippy::expect_used, reason = "strings and lists of strings always encode")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("encoding strings cannot fail")
    }
}
