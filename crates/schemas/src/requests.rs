//! Requests of clients to raise an alert or to post a chat message.

use crate::fields::{BodyError, Fields};
use crate::scalars::parse_moment;
use northgate_domain::{
    AlertId, DedupKey, HttpUrl, Label, LabelError, LabelName, LabelValue, Labels, Location,
    MessageText, PostMessage, RaiseAlert, Sender, Severity, Source,
};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// An alert to raise.
#[derive(ToSchema)]
#[schema(
    examples(
        json!({ "message": "Intruder detected", "location": "North Gate" }),
        json!({
            "message": "Intruder detected",
            "location": "North Gate",
            "severity": "critical",
            "source": "camera-7",
            "labels": { "zone": "perimeter" },
            "url": "https://wiki.example.com/intruders",
            "dedup_key": "intruder/north-gate",
            "expires_at": "2036-07-24T15:23:00Z"
        })
    )
)]
#[expect(dead_code, reason = "describes the shape; bodies are read field by field")]
pub struct NewAlert {
    /// Description of what happened, trimmed and not blank. The only permitted control characters
    /// are newline and tab.
    #[schema(min_length = 1, max_length = 4096)]
    message: String,
    /// Location of what happened, trimmed and not blank. The only permitted control characters are
    /// newline and tab.
    #[schema(min_length = 1, max_length = 256)]
    location: String,
    /// Severity. A repeat can raise the severity of the existing alert, but never lower it.
    #[schema(inline)]
    severity: Option<SeverityName>,
    /// Name of the system that raises the alert.
    #[schema(min_length = 1, max_length = 128)]
    source: Option<String>,
    /// Searchable key/value pairs: at most 32. A name has 1 to 64 letters, digits and `_ - . /`,
    /// and starts with a letter or `_`. A value has at most 256 characters.
    labels: Option<BTreeMap<String, String>>,
    /// Address of a page with more information, with the scheme `http` or `https`.
    #[schema(max_length = 2048)]
    url: Option<String>,
    /// Deduplication key. While an alert with this key is not resolved, a raise with the same key
    /// is a repeat and increments the `count` of that alert.
    #[schema(min_length = 1, max_length = 255)]
    dedup_key: Option<String>,
    /// Expiry time (RFC 3339), at which the alert resolves automatically. The expiry time must be
    /// in the future. A repeat can postpone the expiry time, but never make it earlier. A timestamp
    /// in the year 1 or earlier means that the alert has no expiry time.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<String>,
}

/// The names of severities.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase", default = "warning")]
#[expect(dead_code, reason = "describes the names; they are read by the domain")]
enum SeverityName {
    Critical,
    Error,
    Warning,
    Info,
}

impl NewAlert {
    /// Parses the body of a request. The error lists every bad field.
    pub fn parse(body: &[u8]) -> Result<RaiseAlert, BodyError> {
        let mut fields = Fields::read(body)?;
        let message = fields.required("message", MessageText::parse);
        let location = fields.required("location", Location::parse);
        let severity = fields.optional("severity", |name| {
            Severity::parse(name).ok_or("must be critical, error, warning or info")
        });
        let source = fields.optional("source", Source::parse);
        let labels = labels(&mut fields);
        let url = fields.optional("url", HttpUrl::parse);
        let dedup_key = fields.optional("dedup_key", DedupKey::parse);
        // Some languages write an absent timestamp as the first instant of the year 1.
        let expires_at = fields.optional("expires_at", parse_moment);
        let expires_at = expires_at.filter(|end| end.to_utc().year() > 1);
        let raise = message.zip(location).map(|(message, location)| RaiseAlert {
            severity: severity.unwrap_or_default(),
            source,
            labels,
            url,
            dedup_key,
            expires_at,
            ..RaiseAlert::new(message, location)
        });
        fields.finish(raise)
    }
}

/// Parses the labels of an alert. The field error of a bad value contains the name of the label.
fn labels(fields: &mut Fields) -> Labels {
    let object = match fields.value("labels") {
        None => return Labels::default(),
        Some(Value::Object(object)) => object.clone(),
        Some(_) => {
            fields.complain("labels", "must be an object of strings");
            return Labels::default();
        }
    };
    if object.len() > Labels::MAX {
        fields.complain("labels", LabelError::TooMany.to_string());
        return Labels::default();
    }
    let labels = object.into_iter().filter_map(|(name, value)| label(fields, &name, &value));
    Labels::new(labels.collect()).unwrap_or_default()
}

fn label(fields: &mut Fields, raw: &str, value: &Value) -> Option<Label> {
    let Ok(name) = LabelName::parse(raw) else {
        fields.complain("labels", LabelError::Name.to_string());
        return None;
    };
    // A JSON pointer escapes each slash in a name (RFC 6901 section 3).
    let field = format!("labels/{}", raw.replace('/', "~1"));
    let Value::String(value) = value else {
        fields.complain(field, "must be a string");
        return None;
    };
    match LabelValue::parse(value) {
        Ok(value) => Some(Label { name, value }),
        Err(error) => {
            fields.complain(field, error.to_string());
            None
        }
    }
}

/// A chat message, as the body of an HTTP request or as a text frame.
#[derive(ToSchema)]
#[schema(example = json!({ "sender": "Operator 1", "message": "On my way" }))]
#[expect(dead_code, reason = "describes the shape; bodies are read field by field")]
pub struct NewMessage {
    /// Name of the sender, trimmed and not blank. The only permitted control characters are newline
    /// and tab.
    #[schema(min_length = 1, max_length = 128)]
    sender: String,
    /// Text of the message, trimmed and not blank. The only permitted control characters are
    /// newline and tab.
    #[schema(min_length = 1, max_length = 4096)]
    message: String,
    /// Id of the alert whose thread contains the message.
    alert_id: Option<Uuid>,
}

impl NewMessage {
    /// Parses the body of a request or a text frame. The error lists every bad field.
    pub fn parse(body: &[u8]) -> Result<PostMessage, BodyError> {
        Self::take(Fields::read(body)?)
    }

    /// Parses a message from `fields`.
    pub(crate) fn take(mut fields: Fields) -> Result<PostMessage, BodyError> {
        let sender = fields.required("sender", Sender::parse);
        let message = fields.required("message", MessageText::parse);
        let alert_id = fields.optional("alert_id", parse_alert_id);
        let post =
            sender.zip(message).map(|(sender, message)| PostMessage { sender, message, alert_id });
        fields.finish(post)
    }
}

/// Parses the id of an alert.
pub(crate) fn parse_alert_id(text: &str) -> Result<AlertId, &'static str> {
    Uuid::try_parse(text).map(AlertId).map_err(|_| "must be the id of an alert, which is a UUID")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn findings(body: &str) -> Vec<(String, String)> {
        match NewAlert::parse(body.as_bytes()) {
            Err(BodyError::Invalid(findings)) => findings
                .sorted()
                .into_iter()
                .map(|(field, detail)| (field.to_owned(), detail.to_owned()))
                .collect(),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn every_bad_field_is_reported_in_one_answer() {
        let long = "x".repeat(4_097);
        for (field, detail) in [
            (String::new(), "is required"),
            ("null".into(), "must be a string"),
            ("7".into(), "must be a string"),
            ("[]".into(), "must be a string"),
            ("\" \\n\"".into(), "must not be blank"),
            (
                "\"a\\u0007\"".into(),
                "must not contain control characters other than newline and tab",
            ),
            (format!("\"{long}\""), "must be at most"),
        ] {
            for (bad_message, bad_location) in [(true, false), (false, true), (true, true)] {
                let mut members = Vec::new();
                let mut expected = Vec::new();
                for (name, bad) in [("message", bad_message), ("location", bad_location)] {
                    if !bad {
                        members.push(format!("\"{name}\":\"fine\""));
                        continue;
                    }
                    expected.push(name);
                    if !field.is_empty() {
                        members.push(format!("\"{name}\":{field}"));
                    }
                }
                expected.sort_unstable();
                let found = findings(&format!("{{{}}}", members.join(",")));
                let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
                assert_eq!(names, expected);
                assert!(found.iter().all(|(_, sent)| sent.starts_with(detail)), "{found:?}");
            }
        }
    }

    #[test]
    fn a_body_that_is_not_an_object_is_one_field_error() {
        for body in ["", " \n", "null", "[]", "\"text\"", "3"] {
            let found = findings(body);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].0, "", "{body:?}");
        }
    }

    #[test]
    fn a_body_that_is_not_json_is_malformed() {
        let deep = "[".repeat(10_000);
        for body in [
            &b"{"[..],
            b"{\"message\":}",
            b"{'message':1}",
            b"\xff\xfe",
            b"{\"message\":\"\xc3\x28\"}",
            b"{\"message\":\"\\ud800\"}",
            b"{} {}",
            b"{\"a\":NaN}",
            b"{\"a\":1e999}",
            deep.as_bytes(),
        ] {
            let result = NewAlert::parse(body);
            assert!(matches!(result, Err(BodyError::Malformed { .. })), "{body:?}: {result:?}");
        }
    }

    #[test]
    fn unknown_members_are_ignored_and_the_last_duplicate_counts() {
        let body =
            "\u{feff}{\"message\":1,\"location\":\"x\",\"message\":\"kept\",\"other\":{\"a\":[1]}}";
        assert_eq!(NewAlert::parse(body.as_bytes()).unwrap().message.as_str(), "kept");
    }

    proptest! {
        #[test]
        fn any_body_is_parsed_without_a_panic(body: Vec<u8>) {
            let _ = NewAlert::parse(&body);
            let _ = NewMessage::parse(&body);
        }

        #[test]
        fn valid_text_is_trimmed(sender in "[a-z]{1,9}", message in " {0,3}[a-z\u{e9}]{1,9} {0,3}") {
            let body = serde_json::json!({ "sender": sender, "message": message }).to_string();
            let post = NewMessage::parse(body.as_bytes()).unwrap();
            prop_assert_eq!(post.sender.as_str(), sender);
            prop_assert_eq!(post.message.as_str(), message.trim());
        }
    }
}
