//! What clients send: an alert to raise, a message to post.

use crate::fields::{BodyError, Fields};
use northgate_domain::{Location, MessageText, PostMessage, RaiseAlert, Sender};
use utoipa::ToSchema;

/// An alert to raise.
#[derive(ToSchema)]
#[schema(example = json!({ "message": "Intruder detected", "location": "North Gate" }))]
#[expect(dead_code, reason = "describes the shape; bodies are read field by field")]
pub struct NewAlert {
    /// What happened. Trimmed; not blank; no control characters but newline and tab.
    #[schema(min_length = 1, max_length = 4096)]
    message: String,
    /// Where it happened. Trimmed; not blank; no control characters but newline and tab.
    #[schema(min_length = 1, max_length = 256)]
    location: String,
}

impl NewAlert {
    /// Reads the body of a request, or names everything that is wrong with it.
    pub fn parse(body: &[u8]) -> Result<RaiseAlert, BodyError> {
        let mut fields = Fields::read(body)?;
        let message = fields.required("message", MessageText::parse);
        let location = fields.required("location", Location::parse);
        match (message, location) {
            (Some(message), Some(location)) => Ok(RaiseAlert { message, location, source: None }),
            _ => Err(fields.into_error()),
        }
    }
}

/// A chat message to post, over HTTP or as a text frame.
#[derive(ToSchema)]
#[schema(example = json!({ "sender": "Operator 1", "message": "On my way" }))]
#[expect(dead_code, reason = "describes the shape; bodies are read field by field")]
pub struct NewMessage {
    /// Who says it. Trimmed; not blank; no control characters but newline and tab.
    #[schema(min_length = 1, max_length = 128)]
    sender: String,
    /// What is said. Trimmed; not blank; no control characters but newline and tab.
    #[schema(min_length = 1, max_length = 4096)]
    message: String,
}

impl NewMessage {
    /// Reads the body of a request or a text frame, or names everything that is wrong with it.
    pub fn parse(body: &[u8]) -> Result<PostMessage, BodyError> {
        let mut fields = Fields::read(body)?;
        let sender = fields.required("sender", Sender::parse);
        let message = fields.required("message", MessageText::parse);
        match (sender, message) {
            (Some(sender), Some(message)) => Ok(PostMessage { sender, message }),
            _ => Err(fields.into_error()),
        }
    }
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
    fn every_bad_field_is_named_at_once() {
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
                assert!(found.iter().all(|(_, said)| said.starts_with(detail)), "{found:?}");
            }
        }
    }

    #[test]
    fn a_body_that_is_no_object_is_one_finding() {
        for body in ["", " \n", "null", "[]", "\"text\"", "3"] {
            let found = findings(body);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].0, "", "{body:?}");
        }
    }

    #[test]
    fn what_is_no_json_is_malformed() {
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
    fn unknown_names_and_a_byte_order_mark_are_ignored_and_the_last_of_two_counts() {
        let body =
            "\u{feff}{\"message\":1,\"location\":\"x\",\"message\":\"kept\",\"other\":{\"a\":[1]}}";
        assert_eq!(NewAlert::parse(body.as_bytes()).unwrap().message.as_str(), "kept");
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(body: Vec<u8>) {
            let _ = NewAlert::parse(&body);
            let _ = NewMessage::parse(&body);
        }

        #[test]
        fn valid_text_arrives_trimmed(sender in "[a-z]{1,9}", message in " {0,3}[a-z\u{e9}]{1,9} {0,3}") {
            let body = serde_json::json!({ "sender": sender, "message": message }).to_string();
            let post = NewMessage::parse(body.as_bytes()).unwrap();
            prop_assert_eq!(post.sender.as_str(), sender);
            prop_assert_eq!(post.message.as_str(), message.trim());
        }
    }
}
