//! Reads a JSON object field by field. Reading continues after a bad field, so that one answer
//! names every bad field.

use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt::Display;
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

/// Reason why a body could not be parsed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BodyError {
    /// The body is not JSON, is nested too deeply, or contains half of a surrogate pair.
    #[error("the body cannot be read as JSON (line {line}, column {column})")]
    Malformed {
        /// Line where reading stopped, counted from 1.
        line: usize,
        /// Column where reading stopped, counted in bytes.
        column: usize,
    },
    /// The body is JSON, but some fields are invalid.
    #[error("some fields of the body are not valid")]
    Invalid(FieldErrors),
}

/// All field errors of a body or of a query. Each field error has a name and a description.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FieldErrors(ValidationErrors);

impl FieldErrors {
    /// Returns the field errors, sorted by field name: the name and the description. The name is
    /// empty if the error is about the complete body.
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

    /// Returns whether there are no field errors.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an error of a parameter, unless that parameter already has an error. So a parameter
    /// that is wrong a thousand times is reported once.
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

    /// Adds an error of a field.
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

/// The fields of one object, and the field errors found so far.
pub(crate) struct Fields {
    object: Map<String, Value>,
    findings: FieldErrors,
}

impl Fields {
    /// Parses `body` as a JSON object. If a name occurs twice, the last value counts. Unknown names
    /// are ignored.
    pub(crate) fn read(body: &[u8]) -> Result<Self, BodyError> {
        // Some shells send a byte order mark before the body. RFC 8259 section 8.1 permits a server
        // to ignore the mark.
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

    /// Returns the value of a field, including null. Every look-up of a field calls this function.
    fn get(&self, field: &str) -> Option<&Value> {
        #[cfg(test)]
        requested::NAMES.with_borrow_mut(|names| names.insert(field.to_owned()));
        self.object.get(field)
    }

    /// Returns the value of a field, unless it is absent or null.
    pub(crate) fn value(&self, field: &str) -> Option<&Value> {
        self.get(field).filter(|value| !value.is_null())
    }

    /// Parses a required string. If the string is absent or invalid, adds a field error and returns
    /// `None`.
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

    /// Parses an optional string. Returns `None` if the string is absent or null. If the string is
    /// invalid, adds a field error and returns `None`.
    pub(crate) fn optional<T, E: Display>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.value(field)?;
        self.required(field, parse)
    }

    /// Adds an error of a field, or of a value inside a field.
    pub(crate) fn complain(
        &mut self,
        field: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) {
        self.findings.add(field, detail);
    }

    /// Returns `read` if there are no field errors, and otherwise all field errors. `read` may be
    /// `None` only if a field error was added.
    pub(crate) fn finish<T>(self, read: Option<T>) -> Result<T, BodyError> {
        match read {
            Some(read) if self.findings.is_empty() => Ok(read),
            _ => Err(BodyError::Invalid(self.findings)),
        }
    }
}

/// Names of the fields that code on this thread has looked up.
#[cfg(test)]
pub(crate) mod requested {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    thread_local! {
        pub(crate) static NAMES: RefCell<BTreeSet<String>> = RefCell::default();
    }
}
