//! Requests of operators to act on alerts: bodies of HTTP requests (for one or many alerts) and
//! text frames.

use crate::fields::{BodyError, FieldErrors, Fields};
use crate::history::{position, take_condition};
use crate::requests::{NewMessage, parse_alert_id};
use northgate_domain::{
    ActOnAlert, Action, AlertId, AlertQuery, NoteText, Operator, PostMessage, Revision,
};
use serde_json::{Map, Value};
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// Upper bound of alerts per request.
pub const MOST_ACTED_ON: usize = 1_000;

/// An action on the alert whose id is in the address.
#[derive(ToSchema)]
#[schema(example = json!({ "by": "Anna", "note": "On my way" }))]
#[expect(dead_code, reason = "describes the shape; bodies are read field by field")]
pub struct NewAction {
    /// Name of the operator.
    #[schema(min_length = 1, max_length = 128)]
    by: String,
    /// Note of the operator. The note is stored with the alert only if the action changes the
    /// alert.
    #[schema(min_length = 1, max_length = 1024)]
    note: Option<String>,
}

impl NewAction {
    /// Parses the body of a request to act on `alert`. If `expected` is set, the alert must have
    /// one of these revisions. The error lists every bad field.
    pub fn parse(
        body: &[u8],
        alert: AlertId,
        action: Action,
        expected: Option<Vec<Revision>>,
    ) -> Result<ActOnAlert, BodyError> {
        let mut fields = Fields::read(body)?;
        let said = ActionFields::read(&mut fields, action);
        fields.finish(said.map(|said| said.about(alert, action, expected)))
    }
}

/// A note to add to the alert whose id is in the address.
#[derive(ToSchema)]
#[schema(example = json!({ "by": "Anna", "note": "The lock is broken" }))]
#[expect(dead_code, reason = "describes the shape; bodies are read field by field")]
pub struct NewNote {
    /// Name of the operator.
    #[schema(min_length = 1, max_length = 128)]
    by: String,
    /// Text of the note.
    #[schema(min_length = 1, max_length = 1024)]
    note: String,
}

/// Operator and note of an action.
struct ActionFields {
    by: Operator,
    note: Option<NoteText>,
}

impl ActionFields {
    fn read(fields: &mut Fields, action: Action) -> Option<Self> {
        let by = fields.required("by", Operator::parse);
        let note = match action {
            Action::Annotate => fields.required("note", NoteText::parse),
            _ => fields.optional("note", NoteText::parse),
        };
        Some(Self { by: by?, note })
    }

    fn about(self, alert: AlertId, action: Action, expected: Option<Vec<Revision>>) -> ActOnAlert {
        let Self { by, note } = self;
        ActOnAlert { alert, action, by, note, expected }
    }
}

/// An action on many alerts, which are selected by their ids or by a filter.
#[derive(ToSchema)]
#[schema(examples(
    json!({
        "action": "acknowledge", "by": "Anna",
        "ids": ["5c54e4c8-7a07-4d4f-9d0a-3f2f6c1c2d11"]
    }),
    json!({
        "action": "resolve", "by": "Anna", "note": "The drill is over",
        "filter": { "source": "drill", "severity": ["error", "critical"], "label.zone": "perimeter" }
    })
))]
#[expect(dead_code, reason = "describes the shape; bodies are read field by field")]
pub struct NewActions {
    /// The action: `acknowledge`, `unacknowledge`, `resolve`, `reopen` or `annotate`.
    action: String,
    /// Name of the operator.
    #[schema(min_length = 1, max_length = 128)]
    by: String,
    /// Note of the operator. The action `annotate` requires a note.
    #[schema(min_length = 1, max_length = 1024)]
    note: Option<String>,
    /// Ids of the alerts. If an id occurs twice, the action applies once. `ids` and `filter` cannot
    /// be combined.
    #[schema(min_items = 1, max_items = 1000)]
    ids: Option<Vec<Uuid>>,
    /// Conditions that select the alerts: parameters of `GET /alerts`, each with one value or a
    /// list of values. At least one condition is required. If more than 1,000 alerts match, the
    /// action applies to the newest 1,000. If the filter has `after`, the action applies to the
    /// oldest 1,000 after that position. Without `status`, the filter selects only alerts that the
    /// action can change. If an alert no longer matches when the server acts on that alert, the
    /// outcome is `refused`. With `as_of`, a position, the filter selects only alerts that were
    /// raised at or before that position. `as_of` is not a parameter of `GET /alerts`, and does
    /// not count as a condition.
    #[schema(value_type = Option<Object>)]
    filter: Option<Map<String, Value>>,
}

/// A parsed request to act on many alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actions {
    /// The action.
    pub action: Action,
    /// Operator who acts.
    pub by: Operator,
    /// Note of the operator.
    pub note: Option<NoteText>,
    /// The alerts to act on.
    pub which: Targets,
}

/// How a request selects its alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// The alerts with these ids.
    Ids(Vec<AlertId>),
    /// The alerts that match a query, at most [`MOST_ACTED_ON`].
    Matching(Box<AlertQuery>),
}

impl Actions {
    /// Parses the body of a request. The error lists every bad field.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let mut fields = Fields::read(body)?;
        let action = fields.required("action", |name| {
            let names = "must be acknowledge, unacknowledge, resolve, reopen or annotate";
            Action::parse(name).ok_or(names)
        });
        let said = ActionFields::read(&mut fields, action.unwrap_or(Action::Acknowledge));
        let which = which(&mut fields, action);
        let actions = action.zip(said).zip(which).map(|((action, said), which)| {
            let ActionFields { by, note } = said;
            Self { action, by, note, which }
        });
        fields.finish(actions)
    }
}

fn which(fields: &mut Fields, action: Option<Action>) -> Option<Targets> {
    match (fields.value("ids").cloned(), fields.value("filter").cloned()) {
        (Some(Value::Array(ids)), None) => self::ids(fields, &ids).map(Targets::Ids),
        (Some(_), None) => {
            fields.complain("ids", "must be a list of ids");
            None
        }
        (None, Some(Value::Object(filter))) => {
            let query = self::filter(fields, &filter, action)?;
            Some(Targets::Matching(Box::new(query)))
        }
        (None, Some(_)) => {
            fields.complain("filter", "must be an object with parameters of GET /alerts");
            None
        }
        (None, None) => {
            fields.complain("ids", "is required, unless filter is sent");
            None
        }
        (Some(_), Some(_)) => {
            fields.complain("filter", "cannot be combined with ids");
            None
        }
    }
}

/// Parses the ids and removes duplicates.
fn ids(fields: &mut Fields, ids: &[Value]) -> Option<Vec<AlertId>> {
    if ids.is_empty() || ids.len() > MOST_ACTED_ON {
        fields.complain("ids", format!("must contain 1 to {MOST_ACTED_ON} ids"));
        return None;
    }
    let parsed: Vec<_> = ids.iter().map_while(|id| parse_alert_id(id.as_str()?).ok()).collect();
    if parsed.len() < ids.len() {
        fields.complain(format!("ids/{}", parsed.len()), "must be the id of an alert");
        return None;
    }
    let mut seen = HashSet::with_capacity(parsed.len());
    Some(parsed.into_iter().filter(|id| seen.insert(*id)).collect())
}

/// Turns a filter into a query. Unknown names, empty lists and an empty filter are errors. Without
/// these errors, a request with a misspelt name or an empty list could act on all alerts.
fn filter(
    fields: &mut Fields,
    filter: &Map<String, Value>,
    action: Option<Action>,
) -> Option<AlertQuery> {
    let mut findings = FieldErrors::default();
    let mut query = AlertQuery::newest(MOST_ACTED_ON);
    let mut as_of = None;
    for (name, value) in filter {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        if values.is_empty() {
            findings.complain(pointer(name), "must be a string or a list of at least one string");
        }
        for value in values {
            let taken = match value {
                Value::String(value) if name == "as_of" => {
                    position("as_of", value).map(|position| as_of = Some(position)).map(|()| true)
                }
                Value::String(value) => take_condition(&mut query, name, value),
                _ => Err((name.clone().into(), "must be a string or a list of strings".into())),
            };
            match taken {
                Ok(true) => {}
                Ok(false) => findings.complain(
                    pointer(name),
                    "is not a parameter of GET /alerts that selects alerts",
                ),
                Err((wrong, detail)) => {
                    // `severity` and `min_severity` cannot be combined. The error always names
                    // `min_severity`, even if `severity` was sent second.
                    let name = if wrong == "min_severity" { &wrong } else { name.as_str() };
                    findings.complain(pointer(name), detail);
                }
            }
        }
    }
    if findings.is_empty() && query == AlertQuery::newest(MOST_ACTED_ON) {
        // A position alone would select every alert that existed then.
        let detail = match as_of {
            None => "must have at least one condition",
            Some(_) => "must have at least one condition besides as_of, such as status",
        };
        findings.complain("filter", detail);
    }
    query.range.as_of = as_of;
    for (name, detail) in findings.sorted() {
        fields.complain(name.to_owned(), detail.to_owned());
    }
    if !findings.is_empty() {
        return None;
    }
    if query.statuses.is_empty() {
        query.statuses = action.map(|action| action.changes().to_vec()).unwrap_or_default();
    }
    Some(query)
}

/// Returns the path of a filter parameter in the body, escaped as in a JSON pointer (RFC 6901).
fn pointer(name: &str) -> String {
    format!("filter/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Error text for a frame whose `type` is neither the name of an action nor `chat`.
const ACTION_NAMES: &str = "must be acknowledge, unacknowledge, resolve, reopen or annotate; \
    omit it for a chat message";

/// A request of a client in a text frame.
#[derive(Debug, PartialEq)]
pub enum ClientRequest {
    /// A chat message for all clients, or the errors in the frame. Every frame is chat unless its
    /// `type` is the name of an action.
    Chat(Result<PostMessage, BodyError>),
    /// An action on one alert, with the `ref` that the client chose for this frame.
    Act {
        /// The `ref` of the frame, which the result repeats. Null if the frame has no valid `ref`.
        reference: Value,
        /// The action, or the errors in the frame.
        act: Result<ActOnAlert, BodyError>,
    },
}

impl ClientRequest {
    /// Upper bound of characters in a `ref`.
    pub const MAX_REF_CHARS: usize = 128;

    /// Parses a text frame.
    pub fn parse(text: &[u8]) -> Self {
        let mut fields = match Fields::read(text) {
            Ok(fields) => fields,
            Err(error) => return Self::Chat(Err(error)),
        };
        let kind = fields.value("type").and_then(Value::as_str);
        if let Some(action) = kind.and_then(Action::parse) {
            return Self::act(fields, action);
        }
        // A frame with any other type is chat. A frame with an unknown type and no sender was
        // probably meant as an action, so the error also names the type.
        if kind.is_some_and(|kind| kind != "chat") && fields.value("sender").is_none() {
            fields.complain("type", ACTION_NAMES);
        }
        Self::Chat(NewMessage::take(fields))
    }

    fn act(mut fields: Fields, action: Action) -> Self {
        let reference = match fields.value("ref") {
            Some(Value::String(text)) if text.chars().count() > Self::MAX_REF_CHARS => {
                let detail = format!("must be at most {} characters long", Self::MAX_REF_CHARS);
                fields.complain("ref", detail);
                Value::Null
            }
            Some(reference @ (Value::String(_) | Value::Number(_))) => reference.clone(),
            Some(_) => {
                fields.complain("ref", "must be a string or a number");
                Value::Null
            }
            None => Value::Null,
        };
        let id = fields.required("id", parse_alert_id);
        let expected = match fields.value("revision") {
            None => None,
            Some(revision) => {
                let revision = revision.as_u64().map(Revision::new);
                if revision.is_none() {
                    fields.complain("revision", "must be a whole number, 0 or more");
                }
                revision.map(|seen| vec![seen])
            }
        };
        let said = ActionFields::read(&mut fields, action);
        let act = id.zip(said).map(|(id, said)| said.about(id, action, expected));
        Self::Act { reference, act: fields.finish(act) }
    }
}

/// An action on one alert, as a text frame. The server answers with a `ResultFrame`, which only
/// this client receives.
#[derive(ToSchema)]
#[schema(as = ActionFrame, example = json!({
    "type": "acknowledge",
    "id": "5c54e4c8-7a07-4d4f-9d0a-3f2f6c1c2d11",
    "by": "Anna",
    "note": "On my way",
    "ref": "a1"
}))]
#[expect(dead_code, reason = "describes the shape; frames are read field by field")]
pub struct ActionFrame {
    /// The action: `acknowledge`, `unacknowledge`, `resolve`, `reopen` or `annotate`.
    #[schema(rename = "type")]
    r#type: String,
    /// Id of the alert.
    id: Uuid,
    /// Name of the operator.
    #[schema(min_length = 1, max_length = 128)]
    by: String,
    /// Note of the operator. The action `annotate` requires a note.
    #[schema(min_length = 1, max_length = 1024)]
    note: Option<String>,
    /// Revision that the alert must have. If the alert has another revision, the action is refused.
    revision: Option<u64>,
    /// Identifier that the client chooses for this frame: a string of at most 128 characters, or a
    /// number. The result frame contains the same `ref`.
    r#ref: Option<String>,
}
