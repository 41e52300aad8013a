//! Idempotency keys: names that senders choose for their requests. A second request with the same
//! key changes nothing.

use northgate_domain::{AlertId, Command, Severity};
use northgate_storage::{Fingerprint, IdempotencyKey};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A key that the sender chose: 1 to 255 visible ASCII characters, used unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey(String);

/// Reasons why a text is not a valid key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestKeyError {
    /// The text is empty.
    #[error("must not be empty")]
    Empty,
    /// The text is longer than [`RequestKey::MOST_CHARACTERS`].
    #[error("must be at most {} characters long", RequestKey::MOST_CHARACTERS)]
    TooLong,
    /// The text contains a character outside the range from `!` to `~`.
    #[error("must contain only visible ASCII characters, without spaces")]
    NotVisible,
}

impl RequestKey {
    /// Upper bound of characters in a key.
    pub const MOST_CHARACTERS: usize = 255;

    /// Parses a key from the bytes that the client sent.
    pub fn parse(raw: &[u8]) -> Result<Self, RequestKeyError> {
        if raw.is_empty() {
            return Err(RequestKeyError::Empty);
        }
        if raw.len() > Self::MOST_CHARACTERS {
            return Err(RequestKeyError::TooLong);
        }
        if !raw.iter().all(u8::is_ascii_graphic) {
            return Err(RequestKeyError::NotVisible);
        }
        Ok(Self(raw.iter().copied().map(char::from).collect()))
    }

    /// Converts this key to the key that a store remembers. `command` is the command of the
    /// request, and `route` becomes the scope.
    pub(crate) fn of(self, route: &'static str, command: &Command) -> IdempotencyKey {
        IdempotencyKey {
            scope: route.to_owned(),
            value: self.0,
            fingerprint: Some(fingerprint(command)),
        }
    }
}

/// Returns a digest of the fields of a command, not of its bytes: white space and the order of
/// fields do not change the digest. A durable store saves the digest with the key. Therefore the
/// digest of an existing command must never change: a new optional field may affect the digest only
/// if the field is present.
fn fingerprint(command: &Command) -> Fingerprint {
    let mut digest = Sha256::new();
    let mut put = |name: &str, value: &str| {
        // Each text is preceded by its length, so that "ab", "c" and "a", "bc" have different
        // digests.
        for text in [name, value] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
    };
    match command {
        Command::RaiseAlert(raise) => {
            put("command", "raise");
            put("message", raise.message.as_str());
            put("location", raise.location.as_str());
            if let Some(source) = &raise.source {
                put("source", source.as_str());
            }
            if raise.severity != Severity::default() {
                put("severity", raise.severity.name());
            }
            for label in raise.labels.as_slice() {
                put("label", label.name.as_str());
                put("", label.value.as_str());
            }
            if let Some(url) = &raise.url {
                put("url", url.as_str());
            }
            if let Some(key) = &raise.dedup_key {
                put("dedup_key", key.as_str());
            }
            if let Some(end) = raise.expires_at {
                put("expires_at", &end.unix_micros().to_string());
            }
        }
        Command::ActOnAlert(act) => {
            put("command", act.action.name());
            put("alert", act.alert.0.as_simple().encode_lower(&mut Uuid::encode_buffer()));
            put("by", act.by.as_str());
            if let Some(note) = &act.note {
                put("note", note.as_str());
            }
            for revision in act.expected.iter().flatten() {
                put("expected", &revision.get().to_string());
            }
        }
        Command::PostMessage(post) => {
            put("command", "post");
            put("sender", post.sender.as_str());
            put("message", post.message.as_str());
            if let Some(AlertId(id)) = post.alert_id {
                put("alert", id.as_simple().encode_lower(&mut Uuid::encode_buffer()));
            }
        }
    }
    Fingerprint(digest.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use northgate_domain::{
        ActOnAlert, Action, DedupKey, HttpUrl, Label, LabelName, LabelValue, Labels, Location,
        MessageText, NoteText, Operator, PostMessage, RaiseAlert, Revision, Sender, Source,
        Timestamp,
    };

    #[test]
    fn a_key_is_1_to_255_visible_ascii_characters() {
        let longest = "k".repeat(255);
        for key in ["k", "!~", "\"quoted\"", "8e03978e-40d5-43dd-bc93-6894a57f9324", &longest] {
            assert_eq!(RequestKey::parse(key.as_bytes()), Ok(RequestKey(key.to_owned())));
        }
        assert_eq!(RequestKey::parse(b""), Err(RequestKeyError::Empty));
        assert_eq!(RequestKey::parse(&[b'k'; 256]), Err(RequestKeyError::TooLong));
        for key in ["a b", "a\tb", "k\u{e9}y", "k\u{7f}"] {
            assert_eq!(RequestKey::parse(key.as_bytes()), Err(RequestKeyError::NotVisible));
        }
    }

    fn raise_with(message: &str, location: &str, more: impl FnOnce(&mut RaiseAlert)) -> Command {
        let message = MessageText::parse(message).unwrap();
        let mut raise = RaiseAlert::new(message, Location::parse(location).unwrap());
        more(&mut raise);
        Command::RaiseAlert(raise)
    }

    fn raise(message: &str, location: &str, source: Option<&str>) -> Command {
        raise_with(message, location, |raise| {
            raise.source = source.map(|source| Source::parse(source).unwrap());
        })
    }

    fn act(action: Action, note: Option<&str>, expected: Option<u64>) -> Command {
        Command::ActOnAlert(ActOnAlert {
            alert: AlertId(Uuid::nil()),
            action,
            by: Operator::parse("ab").unwrap(),
            note: note.map(|note| NoteText::parse(note).unwrap()),
            expected: expected.map(|seen| vec![Revision::new(seen)]),
        })
    }

    #[test]
    fn the_fingerprint_depends_on_every_field_and_its_boundaries() {
        let said = PostMessage {
            sender: Sender::parse("ab").unwrap(),
            message: MessageText::parse("c").unwrap(),
            alert_id: None,
        };
        let about = PostMessage { alert_id: Some(AlertId(Uuid::nil())), ..said.clone() };
        let (about, post) = (Command::PostMessage(about), Command::PostMessage(said));
        let labels = |name: &str, value: &str| {
            let name = LabelName::parse(name).unwrap();
            let value = LabelValue::parse(value).unwrap();
            Labels::new(vec![Label { name, value }]).unwrap()
        };
        let commands = [
            raise("ab", "c", None),
            raise("a", "bc", None),
            raise("c", "ab", None),
            raise("ab", "c", Some("x")),
            raise("ab", "c", Some("y")),
            raise_with("ab", "c", |raise| raise.severity = Severity::Error),
            raise_with("ab", "c", |raise| raise.url = Some(HttpUrl::parse("http://x").unwrap())),
            raise_with("ab", "c", |raise| {
                raise.dedup_key = Some(DedupKey::parse("x").unwrap());
            }),
            raise_with("ab", "c", |raise| raise.expires_at = Some(Timestamp::from_unix_micros(1))),
            raise_with("ab", "c", |raise| raise.labels = labels("x", "y")),
            raise_with("ab", "c", |raise| raise.labels = labels("x", "z")),
            raise_with("ab", "c", |raise| raise.labels = labels("xy", "z")),
            act(Action::Acknowledge, None, None),
            act(Action::Resolve, None, None),
            act(Action::Resolve, Some("x"), None),
            act(Action::Resolve, None, Some(1)),
            about,
            post,
        ];
        for (at, one) in commands.iter().enumerate() {
            assert_eq!(fingerprint(one), fingerprint(&one.clone()));
            for other in &commands[at + 1..] {
                assert_ne!(fingerprint(one), fingerprint(other), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn stored_fingerprints_stay_valid() {
        let Fingerprint(digest) = fingerprint(&raise("fire", "gate", None));
        let hex = digest.map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(hex, "494c82ec4432913691c622d39d355c93991b58a13a0cf5374bc89a04faaabe3e");
    }
}
