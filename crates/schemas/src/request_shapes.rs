//! Tests that the documented members of a request are exactly the members that its parser looks up.

use crate::fields::requested;
use crate::{
    ActionFrame, Actions, BodyError, ClientRequest, FieldErrors, NewAction, NewActions, NewAlert,
    NewMessage, NewNote,
};
use northgate_domain::{Action, AlertId};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use utoipa::PartialSchema;
use uuid::Uuid;

const ID: &str = "5c54e4c8-7a07-4d4f-9d0a-3f2f6c1c2d11";

/// The schema of a request, the member to leave out of the test body, and the parser.
type Shape = (Value, &'static str, fn(&[u8]) -> Result<(), BodyError>);

fn shapes() -> [Shape; 7] {
    fn act(body: &[u8], action: Action) -> Result<(), BodyError> {
        NewAction::parse(body, AlertId(Uuid::nil()), action, None).map(drop)
    }
    fn frame(text: &[u8]) -> Result<(), BodyError> {
        match ClientRequest::parse(text) {
            ClientRequest::Act { act, .. } => act.map(drop),
            // A frame without a `type` is chat, so the missing `type` is the error.
            ClientRequest::Chat(_) => {
                let mut errors = FieldErrors::default();
                errors.add("type", "is required");
                Err(BodyError::Invalid(errors))
            }
        }
    }
    fn json<T: PartialSchema>() -> Value {
        serde_json::to_value(T::schema()).unwrap()
    }
    [
        (json::<NewAlert>(), "", |body| NewAlert::parse(body).map(drop)),
        (json::<NewMessage>(), "", |body| NewMessage::parse(body).map(drop)),
        (json::<NewAction>(), "", |body| act(body, Action::Acknowledge)),
        (json::<NewNote>(), "", |body| act(body, Action::Annotate)),
        (json::<NewActions>(), "ids", |body| Actions::parse(body).map(drop)),
        (json::<NewActions>(), "filter", |body| Actions::parse(body).map(drop)),
        (json::<ActionFrame>(), "", frame),
    ]
}

/// Returns a valid value of a member.
fn example(member: &str) -> Value {
    match member {
        "action" | "type" => json!("resolve"),
        "alert_id" | "id" => json!(ID),
        "expires_at" => json!("2036-07-24T15:23:00Z"),
        "filter" => json!({ "source": "x" }),
        "ids" => json!([ID]),
        "labels" => json!({ "zone": "x" }),
        "revision" => json!(3),
        "severity" => json!("critical"),
        "url" => json!("https://example.com/"),
        _ => json!("x"),
    }
}

/// Returns the members for which a parser reports an error.
fn bad_members(read: Result<(), BodyError>) -> Vec<String> {
    match read {
        Ok(()) => Vec::new(),
        Err(BodyError::Invalid(errors)) => {
            let members =
                errors.sorted().into_iter().filter_map(|(field, _)| field.split('/').next());
            members.map(str::to_owned).collect()
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn requests_have_exactly_the_members_that_are_documented() {
    for (schema, excluded, parse) in shapes() {
        let parse = |body: &Map<String, Value>| parse(&serde_json::to_vec(body).unwrap());
        let documented: BTreeSet<_> =
            schema["properties"].as_object().unwrap().keys().cloned().collect();
        let required: Vec<_> = schema["required"].as_array().unwrap().iter().collect();
        let members = documented.iter().filter(|member| *member != excluded);
        let body: Map<_, _> = members.map(|member| (member.clone(), example(member))).collect();

        requested::NAMES.take();
        assert_eq!(parse(&body), Ok(()), "{body:?}");
        assert_eq!(requested::NAMES.take(), documented);

        for member in body.keys() {
            let mut other = body.clone();
            other.insert(member.clone(), json!([[]]));
            assert_eq!(bad_members(parse(&other)), [member.as_str()], "{other:?}");
            other.remove(member);
            // `ids` and `filter` cannot be combined, but one of them is required.
            let is_required = required.contains(&&json!(member))
                || (!excluded.is_empty() && ["ids", "filter"].contains(&member.as_str()));
            assert_eq!(parse(&other).is_err(), is_required, "{other:?}");
        }
    }
}
