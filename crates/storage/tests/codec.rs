//! The persisted form gives back what it was given, and stays readable for ever.
#![expect(clippy::unwrap_used, reason = "what the tests have in common fails as they do")]

use northgate_domain::{
    Alert, AlertChange, AlertEvent, AlertId, ChatMessage, Epoch, Event, Location, MessageId,
    MessageText, Position, Revision, Sender, Source, Stamped, Timestamp,
};
use northgate_storage::Answer;
use northgate_storage::codec::{
    CodecError, VERSION, decode_alert, decode_answer, decode_event, decode_message, encode_alert,
    encode_answer, encode_event, encode_message,
};
use proptest::prelude::*;
use uuid::Uuid;

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zé\u{1F6A8}\"\\\\]{1,20}", "a[\\PC\n\t]{0,60}b"]
}

fn alert() -> impl Strategy<Value = Alert> {
    (any::<u128>(), any::<u64>(), text(), text(), proptest::option::of(text()), any::<i64>())
        .prop_map(|(id, revision, message, location, source, at)| Alert {
            id: AlertId(Uuid::from_u128(id)),
            revision: Revision::new(revision),
            message: MessageText::parse(&message).unwrap(),
            location: Location::parse(&location).unwrap(),
            source: source.map(|source| Source::parse(&source).unwrap()),
            raised_at: Timestamp::from_unix_micros(at),
        })
}

fn message() -> impl Strategy<Value = ChatMessage> {
    (any::<u128>(), text(), text(), any::<i64>()).prop_map(|(id, sender, message, at)| {
        ChatMessage {
            id: MessageId(Uuid::from_u128(id)),
            sender: Sender::parse(&sender).unwrap(),
            message: MessageText::parse(&message).unwrap(),
            sent_at: Timestamp::from_unix_micros(at),
        }
    })
}

fn raised(alert: Alert) -> Event {
    Event::Alert(AlertEvent { change: AlertChange::Raised, alert })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![alert().prop_map(raised), message().prop_map(Event::Chat)]
}

proptest! {
    #[test]
    fn every_event_comes_back_as_it_was(event in event()) {
        let record = encode_event(&event).unwrap();
        prop_assert_eq!(record.first(), Some(&VERSION));
        prop_assert_eq!(decode_event(&record).unwrap(), event);
    }

    #[test]
    fn every_state_and_every_answer_comes_back_as_it_was(
        (alert, message, event) in (alert(), message(), event()),
        (epoch, offset) in (any::<u64>(), any::<u64>()),
    ) {
        prop_assert_eq!(&decode_alert(&encode_alert(&alert).unwrap()).unwrap(), &alert);
        prop_assert_eq!(&decode_message(&encode_message(&message).unwrap()).unwrap(), &message);
        let epoch = Epoch::new(epoch);
        let position = Position { epoch, offset };
        for answer in [
            Answer::Appended(Stamped { position, value: event }),
            Answer::Unchanged(Stamped { position, value: alert }),
        ] {
            let record = encode_answer(&answer).unwrap();
            prop_assert_eq!(decode_answer(&record, epoch).unwrap(), answer);
        }
    }

    #[test]
    fn bytes_that_are_no_record_are_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        prop_assert!(decode_event(&bytes).is_err());
        prop_assert!(decode_answer(&bytes, Epoch::new(1)).is_err());
    }
}

fn fire() -> Alert {
    Alert {
        id: AlertId(Uuid::from_u128(0x5ead_beef)),
        revision: Revision::new(3),
        message: MessageText::parse("Fire \u{1F525}\n\"east\"").unwrap(),
        location: Location::parse("North Gate").unwrap(),
        source: Some(Source::parse("sensor").unwrap()),
        raised_at: Timestamp::from_unix_micros(1_753_366_980_000_001),
    }
}

fn hello() -> ChatMessage {
    ChatMessage {
        id: MessageId(Uuid::from_u128(7)),
        sender: Sender::parse("Operator 1").unwrap(),
        message: MessageText::parse("hello").unwrap(),
        sent_at: Timestamp::from_unix_micros(-1),
    }
}

const FIRE: &str = r#"{"id":"00000000-0000-0000-0000-00005eadbeef","r":3,"m":"Fire 🔥\n\"east\"","l":"North Gate","s":"sensor","t":1753366980000001}"#;
const HELLO: &str =
    r#"{"id":"00000000-0000-0000-0000-000000000007","f":"Operator 1","m":"hello","t":-1}"#;

/// These bytes are in databases. If this test fails, do not change it: a new shape is a new
/// version, beside this one.
#[test]
fn records_of_version_1_are_these_bytes() {
    let record = |shape: &str| [&[1], shape.as_bytes()].concat();
    let position = Position { epoch: Epoch::new(9), offset: 42 };
    for (event, shape) in [
        (raised(fire()), format!(r#"{{"raised":{FIRE}}}"#)),
        (Event::Chat(hello()), format!(r#"{{"said":{HELLO}}}"#)),
    ] {
        assert_eq!(encode_event(&event).unwrap(), record(&shape));
        assert_eq!(decode_event(&record(&shape)).unwrap(), event);
        let answer = Answer::Appended(Stamped { position, value: event });
        let shape = format!(r#"{{"appended":{{"o":42,"e":{shape}}}}}"#);
        assert_eq!(encode_answer(&answer).unwrap(), record(&shape));
        assert_eq!(decode_answer(&record(&shape), position.epoch).unwrap(), answer);
    }
    assert_eq!(encode_alert(&fire()).unwrap(), record(FIRE));
    assert_eq!(decode_alert(&record(FIRE)).unwrap(), fire());
    assert_eq!(encode_message(&hello()).unwrap(), record(HELLO));
    assert_eq!(decode_message(&record(HELLO)).unwrap(), hello());
    let answer = Answer::Unchanged(Stamped { position, value: fire() });
    let shape = format!(r#"{{"unchanged":{{"o":42,"a":{FIRE}}}}}"#);
    assert_eq!(encode_answer(&answer).unwrap(), record(&shape));
    assert_eq!(decode_answer(&record(&shape), position.epoch).unwrap(), answer);
}

/// An alert without a source has no member for it, and a newer program may leave one that is null.
#[test]
fn a_missing_source_is_none() {
    let alert = Alert { source: None, ..fire() };
    let shape = FIRE.replace(r#""s":"sensor","#, "");
    assert_eq!(encode_alert(&alert).unwrap(), [&[1], shape.as_bytes()].concat());
    let null = FIRE.replace(r#""sensor""#, "null");
    for shape in [shape, null] {
        assert_eq!(decode_alert(&[&[1], shape.as_bytes()].concat()).unwrap(), alert);
    }
}

/// The limits of text may grow; if they shrink, old databases need a way to be read. The numbers
/// here are those of version 1.
#[test]
fn texts_as_long_as_version_1_took_them_are_read() {
    let alert = Alert {
        message: MessageText::parse(&"\u{1F525}".repeat(4_096)).unwrap(),
        location: Location::parse(&"l".repeat(256)).unwrap(),
        source: Some(Source::parse(&"s".repeat(128)).unwrap()),
        ..fire()
    };
    assert_eq!(decode_alert(&encode_alert(&alert).unwrap()).unwrap(), alert);
    let message = ChatMessage {
        sender: Sender::parse(&"f".repeat(128)).unwrap(),
        message: MessageText::parse(&"m".repeat(4_096)).unwrap(),
        ..hello()
    };
    assert_eq!(decode_message(&encode_message(&message).unwrap()).unwrap(), message);
}

#[test]
fn a_record_of_another_version_says_so() {
    for version in [0, 2, 255] {
        let record = [&[version], FIRE.as_bytes()].concat();
        let error = decode_alert(&record).unwrap_err();
        assert!(matches!(error, CodecError::UnknownVersion(v) if v == version), "{error}");
    }
    assert!(matches!(decode_alert(&[]).unwrap_err(), CodecError::Empty));
    let text = FIRE.replace("North Gate", " ");
    let blank = decode_alert(&[&[1], text.as_bytes()].concat()).unwrap_err();
    assert!(matches!(blank, CodecError::Text(_)), "{blank}");
}
