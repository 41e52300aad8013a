//! What operators do about alerts, as it is sent: over HTTP, as a frame, and for many at once.

use crate::fields::{BodyError, FieldErrors, Fields};
use crate::history::take_condition;
use crate::requests::{NewMessage, parse_alert_id};
use northgate_domain::{
    ActOnAlert, Action, AlertId, AlertQuery, NoteText, Operator, PostMessage, Revision,
};
use serde_json::{Map, Value};
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// The most alerts that one request acts on.
pub const MOST_ACTED_ON: usize = 1_000;

/// What an operator does about the alert of the address.
#[derive(ToSchema)]
#[schema(example = json!({ "by": "Anna", "note": "On my way" }))]
#[expect(dead_code, reason = "describes the shape; bodies are read field by field")]
pub struct NewAction {
    /// Who does it.
    #[schema(min_length = 1, max_length = 128)]
    by: String,
    /// What there is to say about it. It is kept with the alert, if the action changes anything.
    #[schema(min_length = 1, max_length = 1024)]
    note: Option<String>,
}

impl NewAction {
    /// Reads the body of a request to act on `alert` if its revision is one of those that are
    /// `expected`, or names everything that is wrong with it.
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

/// A note to write to the alert of the address.
#[derive(ToSchema)]
#[schema(example = json!({ "by": "Anna", "note": "The lock is broken" }))]
#[expect(dead_code, reason = "describes the shape; bodies are read field by field")]
pub struct NewNote {
    /// Who writes it.
    #[schema(min_length = 1, max_length = 128)]
    by: String,
    /// What it says.
    #[schema(min_length = 1, max_length = 1024)]
    note: String,
}

/// Who acts, and what there is to say about it.
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

/// What an operator does about many alerts: those with the ids, or those that a filter finds.
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
    /// What is done: `acknowledge`, `unacknowledge`, `resolve`, `reopen` or `annotate`.
    action: String,
    /// Who does it.
    #[schema(min_length = 1, max_length = 128)]
    by: String,
    /// What there is to say about it; required to `annotate`.
    #[schema(min_length = 1, max_length = 1024)]
    note: Option<String>,
    /// The alerts, each of which is acted on once; not together with `filter`.
    #[schema(min_items = 1, max_items = 1000)]
    ids: Option<Vec<Uuid>>,
    /// Which alerts: the parameters of `GET /alerts`, each with one value or a list of them, and at
    /// least one of them. Of those that match, the newest 1,000 are acted on, or with `after` the
    /// oldest after it. Without `status` these are the ones that the action changes something
    /// about. An alert that does not match any more when its turn comes is `refused`.
    #[schema(value_type = Option<Object>)]
    filter: Option<Map<String, Value>>,
}

/// Many alerts to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actions {
    /// What is done.
    pub action: Action,
    /// Who does it.
    pub by: Operator,
    /// What there is to say about it.
    pub note: Option<NoteText>,
    /// To which alerts.
    pub which: Targets,
}

/// Which alerts to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// Those with these ids.
    Ids(Vec<AlertId>),
    /// Those that match, at most [`MOST_ACTED_ON`].
    Matching(Box<AlertQuery>),
}

impl Actions {
    /// Reads the body of a request, or names everything that is wrong with it.
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
            fields.complain("ids", "is required, or else filter");
            None
        }
        (Some(_), Some(_)) => {
            fields.complain("filter", "must not stand beside ids");
            None
        }
    }
}

/// The alerts that are named, each once.
fn ids(fields: &mut Fields, ids: &[Value]) -> Option<Vec<AlertId>> {
    if ids.is_empty() || ids.len() > MOST_ACTED_ON {
        fields.complain("ids", format!("must be 1 to {MOST_ACTED_ON} ids"));
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

/// The question that a filter asks. A name that nobody knows is wrong here, and so is a filter that
/// nothing stands in: whoever misspells a name or has an empty list would act on everything.
fn filter(
    fields: &mut Fields,
    filter: &Map<String, Value>,
    action: Option<Action>,
) -> Option<AlertQuery> {
    let mut findings = FieldErrors::default();
    let mut query = AlertQuery::newest(MOST_ACTED_ON);
    for (name, value) in filter {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        if values.is_empty() {
            findings.complain(pointer(name), "must be a string, or a list of at least one");
        }
        for value in values {
            let taken = match value {
                Value::String(value) => take_condition(&mut query, name, value),
                _ => Err((name.clone().into(), "must be a string, or a list of them".into())),
            };
            match taken {
                Ok(true) => {}
                Ok(false) => findings
                    .complain(pointer(name), "is no parameter of GET /alerts that says which ones"),
                Err((wrong, detail)) => {
                    // Of two that exclude each other the same one is named, whichever came last.
                    let name = if wrong == "min_severity" { &wrong } else { name.as_str() };
                    findings.complain(pointer(name), detail);
                }
            }
        }
    }
    if findings.is_empty() && query == AlertQuery::newest(MOST_ACTED_ON) {
        findings.complain("filter", "must have a condition");
    }
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

/// Where a parameter of the filter stands in the body (RFC 6901).
fn pointer(name: &str) -> String {
    format!("filter/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// What is wrong with the `type` of a frame that is neither an action nor chat.
const ACTION_NAMES: &str = "must be acknowledge, unacknowledge, resolve, reopen or annotate, or be \
    left out for a chat message";

/// What a client says over a socket.
#[derive(Debug, PartialEq)]
pub enum ClientRequest {
    /// Something to everybody: what has no `type` of those that follow.
    Chat(Result<PostMessage, BodyError>),
    /// An action, and what its result is to be told by.
    Act {
        /// What the client calls this frame; null if it gives no name.
        reference: Value,
        /// The action.
        act: Result<ActOnAlert, BodyError>,
    },
}

impl ClientRequest {
    /// The most characters of a `ref`.
    pub const MAX_REF_CHARS: usize = 128;

    /// Reads a text frame.
    pub fn parse(text: &[u8]) -> Self {
        let mut fields = match Fields::read(text) {
            Ok(fields) => fields,
            Err(error) => return Self::Chat(Err(error)),
        };
        let kind = fields.value("type").and_then(Value::as_str);
        if let Some(action) = kind.and_then(Action::parse) {
            return Self::act(fields, action);
        }
        // Whatever else has a type is chat; but without a sender it was hardly meant to be.
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
                    fields.complain("revision", "must be a number");
                }
                revision.map(|seen| vec![seen])
            }
        };
        let said = ActionFields::read(&mut fields, action);
        let act = id.zip(said).map(|(id, said)| said.about(id, action, expected));
        Self::Act { reference, act: fields.finish(act) }
    }
}

/// What an operator does, as a text frame; the answer is a `Result` to this client alone.
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
    /// `acknowledge`, `unacknowledge`, `resolve`, `reopen` or `annotate`.
    #[schema(rename = "type")]
    r#type: String,
    /// The alert.
    id: Uuid,
    /// Who does it.
    #[schema(min_length = 1, max_length = 128)]
    by: String,
    /// What there is to say about it; required to `annotate`.
    #[schema(min_length = 1, max_length = 1024)]
    note: Option<String>,
    /// Only if the alert is still at this revision.
    revision: Option<u64>,
    /// What the result is to be told by: a string of at most 128 characters, or a number.
    r#ref: Option<String>,
}
