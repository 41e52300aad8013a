//! Errors over HTTP: RFC 9457 problem details.

use crate::{AlertState, FieldErrors};
use northgate_domain::Alert;
use serde::Serialize;
use utoipa::ToSchema;

/// An error of a request, as `application/problem+json` (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "urn:northgate:problem:invalid",
    "title": "Unprocessable Entity",
    "status": 422,
    "detail": "The body is not valid; see errors.",
    "errors": [{ "pointer": "#/message", "detail": "must not be blank" }]
}))]
pub struct Problem {
    /// Stable name of the kind of problem, for programs.
    #[serde(rename = "type")]
    #[schema(value_type = String, format = "uri")]
    kind: String,
    /// The HTTP status in words.
    title: &'static str,
    /// The HTTP status code.
    status: u16,
    /// Description of the problem and of what to do about it, for people.
    detail: String,
    /// All bad fields of the body, or all bad parameters of the query, if they are the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// The current alert, if its state or revision is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    alert: Option<AlertState>,
}

/// A bad field of a body, or a bad parameter of a query.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Path of the field in the body: a JSON pointer as a URI fragment (RFC 6901 section 6). The
    /// member is absent if the error is about the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "#/message", nullable = false)]
    pointer: Option<String>,
    /// Name of the query parameter. The member is absent if the error is about the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parameter: Option<String>,
    /// Description of the error.
    #[schema(example = "must not be blank")]
    detail: String,
}

impl FieldProblem {
    /// Returns one entry for each field error of a body.
    pub(crate) fn of_body(findings: &FieldErrors) -> Vec<Self> {
        let problem = |(field, detail): (&str, &str)| Self {
            pointer: Some(if field.is_empty() { "#".to_owned() } else { format!("#/{field}") }),
            parameter: None,
            detail: detail.to_owned(),
        };
        findings.sorted().into_iter().map(problem).collect()
    }

    /// Returns one entry for each field error of a query.
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

    /// Creates a problem of the kind `slug`. `status` is the HTTP status, and `title` the status in
    /// words.
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

    /// Adds the alert whose state or revision is the reason of the problem.
    #[must_use]
    pub fn with_alert(mut self, alert: &Alert) -> Self {
        self.alert = Some(alert.into());
        self
    }

    /// Adds the field errors of the body.
    #[must_use]
    pub fn with_body(mut self, findings: &FieldErrors) -> Self {
        self.errors = FieldProblem::of_body(findings);
        self
    }

    /// Adds the field errors of the query.
    #[must_use]
    pub fn with_query(mut self, findings: &FieldErrors) -> Self {
        self.errors = FieldProblem::of_query(findings);
        self
    }

    /// Returns the problem as JSON.
    #[expect(clippy::expect_used, reason = "strings and lists of strings always encode")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("encoding strings cannot fail")
    }
}
