//! Tests of the persisted form: a decoded record equals the encoded value, and records of old
//! versions can be decoded.
#![expect(clippy::unwrap_used, reason = "shared test code may panic, as tests do")]

use northgate_domain::{
    Alert, AlertChange, AlertEvent, AlertId, Attribution, ChatMessage, DedupKey, Epoch, Event,
    EventMeta, HttpUrl, Label, LabelName, LabelValue, Labels, Location, MessageId, MessageText,
    Note, NoteText, Notes, Operator, Position, Positioned, RaiseAlert, Revision, Sender, Severity,
    Source, Status, Timestamp,
};
use northgate_storage::RecordedOutcome;
use northgate_storage::codec::{
    CodecError, VERSION, decode_alert, decode_event, decode_message, decode_outcome, encode_alert,
    encode_event, encode_message, encode_outcome,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use uuid::Uuid;

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zé\u{1F6A8}\"\\\\]{1,20}", "a[\\PC\n\t]{0,60}b"]
}

fn moment() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_unix_micros)
}

fn mark() -> impl Strategy<Value = Attribution> {
    (text(), moment()).prop_map(|(by, at)| Attribution { by: Operator::parse(&by).unwrap(), at })
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Open),
        mark().prop_map(Status::Acknowledged),
        (of(mark()), mark())
            .prop_map(|(acknowledged, resolved)| Status::Resolved { acknowledged, resolved }),
    ]
}

fn notes() -> impl Strategy<Value = Notes> {
    let note = (mark(), text()).prop_map(|(Attribution { by, at }, text)| Note {
        by,
        text: NoteText::parse(&text).unwrap(),
        at,
    });
    (vec(note, 0..4), 0..3_u64).prop_map(|(notes, dropped)| Notes::new(notes, dropped))
}

fn labels() -> impl Strategy<Value = Labels> {
    let label = ("[a-c][0-9/]{0,2}", text()).prop_map(|(name, value)| Label {
        name: LabelName::parse(&name).unwrap(),
        value: LabelValue::parse(&value).unwrap(),
    });
    vec(label, 0..4).prop_map(|labels| Labels::new(labels).unwrap())
}

fn raise() -> impl Strategy<Value = RaiseAlert> {
    let severity = (0..4_usize).prop_map(|n| Severity::ALL.into_iter().nth(n).unwrap());
    let url = of("https?://([a-z]{1,9}|\\PC{1,9}|[\u{4E00}-\u{9FFF}]{0,679})/\\PC{0,9}")
        .prop_map(|url| HttpUrl::parse(&url?).ok());
    (text(), text(), of(text()), severity, labels(), url, of(text()), of(moment())).prop_map(
        |(message, location, source, severity, labels, url, dedup_key, expires_at)| RaiseAlert {
            source: source.map(|source| Source::parse(&source).unwrap()),
            severity,
            labels,
            url,
            dedup_key: dedup_key.map(|key| DedupKey::parse(&key).unwrap()),
            expires_at,
            ..RaiseAlert::new(
                MessageText::parse(&message).unwrap(),
                Location::parse(&location).unwrap(),
            )
        },
    )
}

fn alert() -> impl Strategy<Value = Alert> {
    let id = (any::<u128>(), moment()).prop_map(|(id, at)| EventMeta::new(Uuid::from_u128(id), at));
    (id, raise(), any::<u64>(), any::<u64>(), (of(moment()), of(moment())), status(), notes())
        .prop_map(|(stamp, raise, revision, count, (last_seen, updated_at), status, notes)| Alert {
            revision: Revision::new(revision),
            count,
            last_seen: last_seen.unwrap_or(stamp.at),
            updated_at: updated_at.unwrap_or(stamp.at),
            status,
            notes,
            ..Alert::raised(&raise, stamp)
        })
}

fn message() -> impl Strategy<Value = ChatMessage> {
    (any::<u128>(), text(), text(), of(any::<u128>()), moment()).prop_map(
        |(id, sender, message, alert_id, sent_at)| ChatMessage {
            id: MessageId(Uuid::from_u128(id)),
            sender: Sender::parse(&sender).unwrap(),
            message: MessageText::parse(&message).unwrap(),
            alert_id: alert_id.map(|id| AlertId(Uuid::from_u128(id))),
            sent_at,
        },
    )
}

fn raised(alert: Alert) -> Event {
    Event::Alert(AlertEvent::raised(alert))
}

fn change() -> impl Strategy<Value = Event> {
    let change = (0..7_usize).prop_map(|n| AlertChange::ALL.into_iter().nth(n).unwrap());
    (change, alert(), of(text()), of(text())).prop_map(|(change, alert, by, note)| {
        let by = by.map(|by| Operator::parse(&by).unwrap());
        let note = note.map(|note| NoteText::parse(&note).unwrap());
        Event::Alert(AlertEvent { change, alert, by, note })
    })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![change(), message().prop_map(Event::Chat)]
}

proptest! {
    #[test]
    fn every_event_is_decoded_as_it_was_encoded(event in event()) {
        let record = encode_event(&event).unwrap();
        prop_assert_eq!(record.first(), Some(&VERSION));
        prop_assert_eq!(decode_event(&record).unwrap(), event);
    }

    #[test]
    fn every_state_and_outcome_is_decoded_as_it_was_encoded(
        (alert, message, event) in (alert(), message(), event()),
        (epoch, offset, raised) in (any::<u64>(), any::<u64>(), any::<u64>()),
    ) {
        prop_assert_eq!(&decode_alert(&encode_alert(&alert).unwrap()).unwrap(), &alert);
        prop_assert_eq!(&decode_message(&encode_message(&message).unwrap()).unwrap(), &message);
        let epoch = Epoch::new(epoch);
        let position = Position { epoch, offset };
        for answer in [
            RecordedOutcome::Appended {
                event: Positioned { position, value: event.clone() },
                raised: Position { epoch, offset: raised },
            },
            RecordedOutcome::Appended { event: Positioned { position, value: event }, raised: position },
            RecordedOutcome::Unchanged(Positioned { position, value: alert }),
        ] {
            let record = encode_outcome(&answer).unwrap();
            prop_assert_eq!(decode_outcome(&record, epoch).unwrap(), answer);
        }
    }

    #[test]
    fn bytes_that_are_not_a_record_are_an_error(bytes in vec(any::<u8>(), 0..60)) {
        prop_assert!(decode_event(&bytes).is_err());
        prop_assert!(decode_outcome(&bytes, Epoch::new(1)).is_err());
    }
}

/// An alert with values only in the fields that version 1 has.
fn fire() -> Alert {
    let raise = RaiseAlert {
        source: Some(Source::parse("sensor").unwrap()),
        ..RaiseAlert::new(
            MessageText::parse("Fire \u{1F525}\n\"east\"").unwrap(),
            Location::parse("North Gate").unwrap(),
        )
    };
    let stamp = EventMeta::new(
        Uuid::from_u128(0x5ead_beef),
        Timestamp::from_unix_micros(1_753_366_980_000_001),
    );
    Alert { revision: Revision::new(3), ..Alert::raised(&raise, stamp) }
}

fn hello() -> ChatMessage {
    ChatMessage {
        id: MessageId(Uuid::from_u128(7)),
        sender: Sender::parse("Operator 1").unwrap(),
        message: MessageText::parse("hello").unwrap(),
        alert_id: None,
        sent_at: Timestamp::from_unix_micros(-1),
    }
}

const FIRE: &str = r#"{"id":"00000000-0000-0000-0000-00005eadbeef","r":3,"m":"Fire 🔥\n\"east\"","l":"North Gate","s":"sensor","t":1753366980000001}"#;
const HELLO: &str =
    r#"{"id":"00000000-0000-0000-0000-000000000007","f":"Operator 1","m":"hello","t":-1}"#;

/// Databases contain such records. If this test fails, correct the code, not the test.
#[test]
fn records_of_version_1_are_read() {
    let record = |shape: &str| [&[1], shape.as_bytes()].concat();
    let position = Position { epoch: Epoch::new(9), offset: 42 };
    for (event, shape) in [
        (raised(fire()), format!(r#"{{"raised":{FIRE}}}"#)),
        (Event::Chat(hello()), format!(r#"{{"said":{HELLO}}}"#)),
    ] {
        assert_eq!(decode_event(&record(&shape)).unwrap(), event);
        let event = Positioned { position, value: event };
        let answer = RecordedOutcome::Appended { event, raised: position };
        let shape = format!(r#"{{"appended":{{"o":42,"e":{shape}}}}}"#);
        assert_eq!(decode_outcome(&record(&shape), position.epoch).unwrap(), answer);
    }
    assert_eq!(decode_alert(&record(FIRE)).unwrap(), fire());
    assert_eq!(decode_message(&record(HELLO)).unwrap(), hello());
    let answer = RecordedOutcome::Unchanged(Positioned { position, value: fire() });
    let shape = format!(r#"{{"unchanged":{{"o":42,"a":{FIRE}}}}}"#);
    assert_eq!(decode_outcome(&record(&shape), position.epoch).unwrap(), answer);
    let without = FIRE.replace(r#""s":"sensor","#, "");
    let null = FIRE.replace(r#""sensor""#, "null");
    for shape in [without, null] {
        assert_eq!(decode_alert(&record(&shape)).unwrap(), Alert { source: None, ..fire() });
    }
}

/// A resolved alert in which every optional field has a value.
fn blaze() -> Alert {
    let anna = |at| Attribution {
        by: Operator::parse("Anna").unwrap(),
        at: Timestamp::from_unix_micros(at),
    };
    let label = |name: &str| Label {
        name: LabelName::parse(name).unwrap(),
        value: LabelValue::parse("1").unwrap(),
    };
    let note = |text: &str| Note {
        by: Operator::parse("Ben").unwrap(),
        text: NoteText::parse(text).unwrap(),
        at: Timestamp::from_unix_micros(8),
    };
    Alert {
        severity: Severity::Critical,
        labels: Labels::new(vec![label("b"), label("a")]).unwrap(),
        url: Some(HttpUrl::parse("https://example.com/x").unwrap()),
        dedup_key: Some(DedupKey::parse("fire/east").unwrap()),
        expires_at: Some(Timestamp::from_unix_micros(99)),
        last_seen: Timestamp::from_unix_micros(6),
        updated_at: Timestamp::from_unix_micros(7),
        count: 12,
        status: Status::Resolved { acknowledged: Some(anna(4)), resolved: anna(5) },
        notes: Notes::new(vec![note("hot")], 2),
        ..fire()
    }
}

const BLAZE: &str = concat!(
    r#"{"id":"00000000-0000-0000-0000-00005eadbeef","r":3,"m":"Fire 🔥\n\"east\"","l":"North Gate","#,
    r#""s":"sensor","v":"critical","lb":[["a","1"],["b","1"]],"u":"https://example.com/x","#,
    r#""k":"fire/east","x":99,"t":1753366980000001,"ls":6,"up":7,"n":12,"#,
    r#""ack":{"b":"Anna","t":4},"res":{"b":"Anna","t":5},"no":[{"b":"Ben","n":"hot","t":8}],"nd":2}"#
);
const ABOUT: &str = r#"{"id":"00000000-0000-0000-0000-000000000007","f":"Operator 1","m":"hello","a":"00000000-0000-0000-0000-00005eadbeef","t":-1}"#;

/// Databases contain these bytes. If this test fails, correct the code, not the bytes. A new shape
/// gets a new version: see "A stored shape" in docs/EXTENDING.md.
#[test]
fn records_of_version_2_have_exactly_these_bytes() {
    let record = |shape: &str| [&[2], shape.as_bytes()].concat();
    let position = Position { epoch: Epoch::new(9), offset: 42 };
    let about = ChatMessage { alert_id: Some(fire().id), ..hello() };
    let resolved = Event::Alert(AlertEvent {
        change: AlertChange::Resolved,
        alert: blaze(),
        by: Some(Operator::parse("Anna").unwrap()),
        note: Some(NoteText::parse("out").unwrap()),
    });
    for (event, shape) in [
        (raised(fire()), format!(r#"{{"alert":{{"c":"raised","a":{FIRE}}}}}"#)),
        (resolved, format!(r#"{{"alert":{{"c":"resolved","a":{BLAZE},"b":"Anna","n":"out"}}}}"#)),
        (Event::Chat(hello()), format!(r#"{{"said":{HELLO}}}"#)),
        (Event::Chat(about.clone()), format!(r#"{{"said":{ABOUT}}}"#)),
    ] {
        assert_eq!(encode_event(&event).unwrap(), record(&shape));
        assert_eq!(decode_event(&record(&shape)).unwrap(), event);
        let event = Positioned { position, value: event };
        let answer = RecordedOutcome::Appended { event, raised: position };
        let shape = format!(r#"{{"appended":{{"o":42,"e":{shape}}}}}"#);
        assert_eq!(encode_outcome(&answer).unwrap(), record(&shape));
        assert_eq!(decode_outcome(&record(&shape), position.epoch).unwrap(), answer);
    }
    let answer = RecordedOutcome::Appended {
        event: Positioned { position, value: Event::Chat(hello()) },
        raised: Position { offset: 7, ..position },
    };
    let shape = format!(r#"{{"appended":{{"o":42,"r":7,"e":{{"said":{HELLO}}}}}}}"#);
    assert_eq!(encode_outcome(&answer).unwrap(), record(&shape));
    for (alert, shape) in [(fire(), FIRE), (blaze(), BLAZE)] {
        assert_eq!(encode_alert(&alert).unwrap(), record(shape));
        assert_eq!(decode_alert(&record(shape)).unwrap(), alert);
        let shape = format!(r#"{{"unchanged":{{"o":42,"a":{shape}}}}}"#);
        let answer = RecordedOutcome::Unchanged(Positioned { position, value: alert });
        assert_eq!(encode_outcome(&answer).unwrap(), record(&shape));
        assert_eq!(decode_outcome(&record(&shape), position.epoch).unwrap(), answer);
    }
    for (message, shape) in [(hello(), HELLO), (about, ABOUT)] {
        assert_eq!(encode_message(&message).unwrap(), record(shape));
        assert_eq!(decode_message(&record(shape)).unwrap(), message);
    }
    let word = BLAZE.replace("critical", "dreadful");
    assert!(matches!(decode_alert(&record(&word)), Err(CodecError::Word)));
}

/// A stricter limit for new input must not make old data unreadable.
#[test]
fn stored_records_beyond_the_current_limits_can_be_decoded() {
    let long = "\u{1F525}".repeat(100_000);
    let label = |n: usize| Label {
        name: LabelName::from_stored(&format!("{n} {}", "n".repeat(LabelName::MAX_CHARS))),
        value: LabelValue::from_stored(&long),
    };
    let alert = Alert {
        message: MessageText::from_stored(&long),
        location: Location::from_stored(" "),
        source: Some(Source::from_stored("\u{7}")),
        labels: Labels::from_stored((0..=Labels::MAX).map(label).collect()),
        url: Some(
            HttpUrl::from_stored(&format!("https://{}", "x".repeat(HttpUrl::MAX_BYTES))).unwrap(),
        ),
        ..fire()
    };
    assert_eq!(decode_alert(&encode_alert(&alert).unwrap()).unwrap(), alert);
    assert_eq!(
        decode_event(&encode_event(&raised(alert.clone())).unwrap()).unwrap(),
        raised(alert)
    );
    let message = ChatMessage {
        sender: Sender::from_stored(&long),
        message: MessageText::from_stored(""),
        ..hello()
    };
    assert_eq!(decode_message(&encode_message(&message).unwrap()).unwrap(), message);
}

#[test]
fn a_record_of_an_unknown_version_is_an_error() {
    for version in [0, VERSION + 1, 255] {
        let record = [&[version], FIRE.as_bytes()].concat();
        let error = decode_alert(&record).unwrap_err();
        assert!(matches!(error, CodecError::UnknownVersion(v) if v == version), "{error}");
    }
    assert!(matches!(decode_alert(&[]).unwrap_err(), CodecError::Empty));
}
