//! Reading a JSON object field by field: what is missing, null or of the wrong type is a finding
//! and not an error, so that one answer names every bad field.

use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt::Display;
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

/// Why a body gave no command.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BodyError {
    /// It is no JSON, or JSON that is not read: nested too deep, or with half a character in it.
    #[error("the body cannot be read as JSON (line {line}, column {column})")]
    Malformed {
        /// Where reading stopped, counted from 1.
        line: usize,
        /// Where in that line reading stopped, counted in bytes.
        column: usize,
    },
    /// It is JSON, but not what was asked for.
    #[error("the body is not what was expected")]
    Invalid(FieldErrors),
}

/// What is wrong with a body: every bad field, each with its reason.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FieldErrors(ValidationErrors);

impl FieldErrors {
    /// The findings in the order of their fields' names: the field, empty for the body itself,
    /// and what is wrong with it.
    pub fn sorted(&self) -> Vec<(&str, &str)> {
        let mut findings = Vec::new();
        for (field, kind) in self.0.errors() {
            let ValidationErrorsKind::Field(errors) = kind else {
                continue;
            };
            findings.extend(
                errors
                    .iter()
                    .map(|error| (field.as_ref(), error.message.as_deref().unwrap_or(&error.code))),
            );
        }
        findings.sort_unstable();
        findings
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a finding about a parameter: one that is wrong a thousand times is told once.
    pub(crate) fn complain(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) {
        let name = name.into();
        if !self.0.errors().contains_key(&name) {
            self.add(name, detail);
        }
    }

    /// Adds a finding about a field.
    pub(crate) fn add(
        &mut self,
        field: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) {
        let error = ValidationError::new("invalid").with_message(detail.into());
        let errors = self.0.errors_mut().entry(field.into());
        if let ValidationErrorsKind::Field(errors) =
            errors.or_insert_with(|| ValidationErrorsKind::Field(Vec::new()))
        {
            errors.push(error);
        }
    }

    fn of_body(detail: &'static str) -> BodyError {
        let mut findings = Self::default();
        findings.add("", detail);
        BodyError::Invalid(findings)
    }
}

/// The fields of one object, and what was found wrong with them so far.
pub(crate) struct Fields {
    object: Map<String, Value>,
    findings: FieldErrors,
}

impl Fields {
    /// Reads `body` as a JSON object. Of a name that is given twice the last value counts, and
    /// names that nobody asks for are ignored.
    pub(crate) fn read(body: &[u8]) -> Result<Self, BodyError> {
        // Some shells put a byte order mark before what they send (RFC 8259 section 8.1 lets us
        // ignore it).
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(FieldErrors::of_body("is required: send a JSON object"));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Ok(Self { object, findings: FieldErrors::default() }),
            Ok(_) => Err(FieldErrors::of_body("must be a JSON object")),
            Err(error) => Err(BodyError::Malformed { line: error.line(), column: error.column() }),
        }
    }

    /// What a field holds, null included. Nothing else looks a name up.
    fn get(&self, field: &str) -> Option<&Value> {
        #[cfg(test)]
        requested::NAMES.with_borrow_mut(|names| names.insert(field.to_owned()));
        self.object.get(field)
    }

    /// What a field holds, if it is there and not null.
    pub(crate) fn value(&self, field: &str) -> Option<&Value> {
        self.get(field).filter(|value| !value.is_null())
    }

    /// A text that must be there. `None` is a finding.
    pub(crate) fn required<T, E: Display>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match self.get(field) {
            None => self.complain(field, "is required"),
            Some(Value::String(raw)) => match parse(raw) {
                Ok(value) => return Some(value),
                Err(error) => self.complain(field, error.to_string()),
            },
            Some(_) => self.complain(field, "must be a string"),
        }
        None
    }

    /// A text that may be absent, or null. `None` is a finding only if there is something else.
    pub(crate) fn optional<T, E: Display>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.value(field)?;
        self.required(field, parse)
    }

    /// Adds a finding about a field, or something in it.
    pub(crate) fn complain(
        &mut self,
        field: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) {
        self.findings.add(field, detail);
    }

    /// What was read, unless something is wrong; what is not there was complained about.
    pub(crate) fn finish<T>(self, read: Option<T>) -> Result<T, BodyError> {
        match read {
            Some(read) if self.findings.is_empty() => Ok(read),
            _ => Err(BodyError::Invalid(self.findings)),
        }
    }
}

/// The names that readers on this thread have looked up.
#[cfg(test)]
pub(crate) mod requested {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    thread_local! {
        pub(crate) static NAMES: RefCell<BTreeSet<String>> = RefCell::default();
    }
}
