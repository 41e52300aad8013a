//! Random commands and queries have the same results in the memory store and in the SQLite store.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helper functions of tests may panic, as tests may"
)]

use enum_map::EnumMap;
use northgate_domain::{
    ActOnAlert, Action, Alert, AlertEvent, AlertId, AlertQuery, Clock, Command, Deadlines,
    DedupKey, Epoch, Event, HistoryRange, IdSource, Label, LabelName, LabelValue, Labels, Location,
    MessageQuery, MessageText, MetaSource, NoteText, Operator, Position, Positioned, PostMessage,
    RaiseAlert, Revision, Search, Sender, Severity, SeverityFilter, Source, StatusKind, Timestamp,
    evolve,
};
use northgate_storage::{
    Capacity, EventStore, Fingerprint, IdempotencyKey, MemoryStore, Outcome, ReadError, ReadFrom,
    Submission,
};
use northgate_storage_sqlite::{Options, SqliteStore};
use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use uuid::Uuid;

const EPOCH: Epoch = Epoch::new(7);
/// Small bounds, so that events, alerts, messages and keys are all trimmed.
const CAPACITY: Capacity = {
    const fn count(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).unwrap()
    }
    Capacity { events: count(12), alerts: count(9), messages: count(5), keys: count(4) }
};

/// A source of consecutive ids, and a clock that also goes backwards.
#[derive(Default)]
struct Unsteady(AtomicU64);

impl IdSource for Unsteady {
    fn next_id(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed) + 1))
    }
}

impl Clock for Unsteady {
    fn now(&self) -> Timestamp {
        let n = self.0.load(Ordering::Relaxed);
        Timestamp::from_unix_micros(i64::try_from(n + (n * 7) % 5).unwrap())
    }
}

fn unsteady() -> MetaSource {
    let unsteady = Arc::new(Unsteady::default());
    MetaSource::new(unsteady.clone(), unsteady)
}

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<Submission>),
    Read { after: bool, position: Position, limit: usize },
    Alerts(AlertQuery),
    Messages(MessageQuery),
    Alert(AlertId),
    AlertEvents(AlertId, HistoryRange),
    Overdue(Deadlines),
    Summary,
}

fn words() -> impl Strategy<Value = String> {
    vec(prop_oneof!["[a-c]{1,3}", "[Ää\u{308}a]{1,2}", "[0-9]", "\\PC"], 1..4)
        .prop_map(|words| words.join(" "))
        .prop_filter("no text", |words| MessageText::parse(words).is_ok())
}

fn location() -> impl Strategy<Value = Location> {
    prop_oneof!["Gate [AB]", Just("Ä".to_owned())].prop_map(|text| Location::parse(&text).unwrap())
}

fn severity() -> impl Strategy<Value = Severity> {
    (0..4_usize).prop_map(|n| Severity::ALL.into_iter().nth(n).unwrap())
}

fn source() -> impl Strategy<Value = Source> {
    "[st]".prop_map(|name| Source::parse(&name).unwrap())
}

fn label() -> impl Strategy<Value = Label> {
    ("[ab]", "[x-z]|Ä \"").prop_map(|(name, value)| Label {
        name: LabelName::parse(&name).unwrap(),
        value: LabelValue::parse(&value).unwrap(),
    })
}

fn raise() -> impl Strategy<Value = RaiseAlert> {
    let labels = vec(label(), 0..3).prop_map(|labels| Labels::new(labels).unwrap());
    let key = of("[k-m]").prop_map(|key| Some(DedupKey::parse(&key?).unwrap()));
    let end = of(0..60_i64).prop_map(|end| end.map(Timestamp::from_unix_micros));
    (words(), location(), severity(), of(source()), labels, key, end, 1..4_u32).prop_map(
        |(message, location, severity, source, labels, dedup_key, expires_at, times)| RaiseAlert {
            severity,
            source,
            labels,
            dedup_key,
            expires_at,
            times: times.try_into().unwrap(),
            ..RaiseAlert::new(MessageText::parse(&message).unwrap(), location)
        },
    )
}

/// Ids are consecutive numbers from 1 on, so a small number is often the id of an existing alert.
fn id() -> impl Strategy<Value = AlertId> {
    (0..60_u128).prop_map(|id| AlertId(Uuid::from_u128(id)))
}

fn act() -> impl Strategy<Value = ActOnAlert> {
    let action = (0..5_usize).prop_map(|n| Action::ALL.into_iter().nth(n).unwrap());
    (id(), action, "[AB]", of(words()), of(1..4_u64)).prop_map(
        |(alert, action, by, note, expected)| ActOnAlert {
            alert,
            action,
            by: Operator::parse(&by).unwrap(),
            note: note.map(|note| NoteText::parse(&note).unwrap()),
            expected: expected.map(|seen| vec![Revision::new(seen)]),
        },
    )
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => raise().prop_map(Command::RaiseAlert),
        3 => act().prop_map(Command::ActOnAlert),
        1 => (words(), of(id())).prop_map(|(message, alert_id)| Command::PostMessage(PostMessage {
            sender: Sender::parse("Öperator").unwrap(),
            message: MessageText::parse(&message).unwrap(),
            alert_id,
        })),
    ]
}

fn key() -> impl Strategy<Value = IdempotencyKey> {
    ("[ab]", "[a-d]", of(0..3_u8)).prop_map(|(scope, value, digest)| {
        let fingerprint = digest.map(|digest| Fingerprint([digest; 32]));
        IdempotencyKey { scope, value, fingerprint }
    })
}

fn submissions() -> impl Strategy<Value = Vec<Submission>> {
    let one = || (command(), of(key())).prop_map(|(command, key)| Submission { command, key });
    // Most vectors have one submission, because one rejected submission rejects the complete
    // vector.
    prop_oneof![2 => vec(one(), 1..2), 1 => vec(one(), 0..4)]
}

fn position() -> impl Strategy<Value = Position> {
    (0..20_u8, 0..60_u64).prop_map(|(foreign, offset)| {
        let epoch = if foreign == 0 { Epoch::new(8) } else { EPOCH };
        Position { epoch, offset }
    })
}

/// No bound, or a bound that a few items reach.
fn bytes() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(usize::MAX), 1 => 0..4_000_usize]
}

fn range() -> impl Strategy<Value = HistoryRange> {
    let position = || weighted(0.3, position());
    let moment = || weighted(0.3, (-1..30_i64).prop_map(Timestamp::from_unix_micros));
    (0..12_usize, bytes(), position(), position(), position(), moment(), moment()).prop_map(
        |(limit, max_bytes, after, before, as_of, since, until)| HistoryRange {
            limit,
            max_bytes,
            after,
            before,
            as_of,
            since,
            until,
            ..HistoryRange::default()
        },
    )
}

fn search() -> impl Strategy<Value = Search> {
    prop_oneof![3 => Just(String::new()), 2 => "[a-c]{1,2}", 1 => words(), 1 => "\\PC{0,9}"]
        .prop_map(|text| Search::parse(&text).unwrap())
}

fn alert_query() -> impl Strategy<Value = AlertQuery> {
    let status = (0..3_usize).prop_map(|n| StatusKind::ALL.into_iter().nth(n).unwrap());
    // Queries rarely have more than one condition, because otherwise nothing would match.
    let some = |most: usize| prop_oneof![3 => Just(0), 1 => 0..=most];
    (
        range(),
        search(),
        some(3).prop_flat_map(|n| vec(location(), n)),
        some(2).prop_flat_map(|n| vec(source(), n)),
        some(2).prop_flat_map(move |n| vec(status.clone(), n)),
        some(3).prop_flat_map(|n| vec(severity(), n)),
        some(3).prop_flat_map(|n| vec(label(), n)),
    )
        .prop_map(|(range, search, locations, sources, statuses, severities, labels)| {
            let severities = match severities {
                severities if severities.is_empty() => SeverityFilter::Any,
                severities if severities.len() == 1 => SeverityFilter::AtLeast(severities[0]),
                severities => SeverityFilter::AnyOf(severities),
            };
            AlertQuery { range, search, locations, sources, statuses, severities, labels }
        })
}

fn deadlines() -> impl Strategy<Value = Deadlines> {
    let moment = || (0..60_i64).prop_map(Timestamp::from_unix_micros);
    (moment(), [of(moment()), of(moment()), of(moment()), of(moment())]).prop_map(
        |(now, quiet_since)| Deadlines { now, quiet_since: EnumMap::from_array(quiet_since) },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => submissions().prop_map(Step::Append),
        1 => (any::<bool>(), position(), 0..20_usize)
            .prop_map(|(after, position, limit)| Step::Read { after, position, limit }),
        3 => alert_query().prop_map(Step::Alerts),
        1 => (range(), search(), of(id())).prop_map(|(range, search, alert_id)| {
            Step::Messages(MessageQuery { range, search, alert_id })
        }),
        1 => id().prop_map(Step::Alert),
        1 => (id(), range()).prop_map(|(id, range)| Step::AlertEvents(id, range)),
        1 => deadlines().prop_map(Step::Overdue),
        1 => Just(Step::Summary),
    ]
}

/// Runs a step on a store, and returns its result as text.
async fn answer(store: &dyn EventStore, step: Step) -> String {
    match step {
        Step::Append(submissions) => format!("{:?}", store.append(submissions).await),
        Step::Read { after, position, limit } => {
            let from = if after { ReadFrom::After(position) } else { ReadFrom::Before(position) };
            format!("{:?}", store.read(from, limit).await)
        }
        Step::Alerts(query) => format!("{:?}", store.alerts(query).await),
        Step::Messages(query) => format!("{:?}", store.messages(query).await),
        Step::Alert(id) => format!("{:?}", store.alert(id).await),
        Step::AlertEvents(id, range) => format!("{:?}", store.alert_events(id, range).await),
        Step::Overdue(deadlines) => {
            format!("{:?}", store.overdue(deadlines, 1_000).await)
        }
        Step::Summary => format!("{:?}", store.summary().await),
    }
}

/// Returns all visible state of a store as text.
async fn everything(store: &dyn EventStore) -> Vec<String> {
    let head = *store.head().borrow();
    let mut seen = vec![format!("{head:?}")];
    for offset in 0..=head.offset {
        let position = Position { offset, ..head };
        seen.push(answer(store, Step::Read { after: true, position, limit: 1_000 }).await);
    }
    seen.push(answer(store, Step::Alerts(AlertQuery::newest(1_000))).await);
    seen.push(answer(store, Step::Messages(MessageQuery::newest(1_000))).await);
    seen.push(answer(store, Step::Summary).await);
    seen
}

/// Applies `events` to `state`. The keys of the state are the offsets at which the alerts were
/// raised.
fn evolved(
    mut state: BTreeMap<u64, Alert>,
    events: impl IntoIterator<Item = Positioned<Event>>,
) -> BTreeMap<u64, Alert> {
    for event in events {
        let Event::Alert(AlertEvent { alert, .. }) = &event.value else { continue };
        let begun = state.iter().find(|(_, held)| held.id == alert.id).map(|(raised, _)| *raised);
        let raised = begun.unwrap_or(event.position.offset);
        let before = state.remove(&raised);
        state.extend(evolve(before, &event.value).map(|after| (raised, after)));
    }
    state
}

/// Appends `vectors`, and checks that the trimmed and the retained events together result in the
/// alerts of the store.
async fn assert_state_follows(store: &dyn EventStore, vectors: Vec<Vec<Submission>>) {
    let mut appended = Vec::new();
    for vector in vectors {
        for outcome in store.append(vector).await.into_iter().flatten() {
            appended.extend(match outcome {
                Outcome::Appended { event, .. } => Some(event),
                Outcome::Replayed(_) | Outcome::Unchanged(_) => None,
            });
        }
    }
    let start = Position::start(EPOCH);
    let oldest = match store.read(ReadFrom::After(start), 1).await {
        Err(ReadError::Gap { oldest, .. }) => oldest,
        _ => start,
    };
    let trimmed = appended.iter().filter(|event| event.position.offset <= oldest.offset).cloned();
    let held = store.read(ReadFrom::After(oldest), 1_000).await.unwrap();
    assert_eq!(held, appended[appended.len() - held.len()..]);
    let present = evolved(evolved(BTreeMap::new(), trimmed), held);
    let shown = store.alerts(AlertQuery::newest(1_000)).await.unwrap().items;
    let shown = shown.into_iter().map(|alert| (alert.position.offset, alert.value));
    assert_eq!(shown.collect::<BTreeMap<_, _>>(), present);
}

fn open(folder: &TempDir, meta: MetaSource) -> SqliteStore {
    let options = Options { capacity: CAPACITY, ..Options::new(EPOCH) };
    SqliteStore::open(folder.path(), &options, meta).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn trimmed_and_retained_events_together_result_in_the_current_alerts(
        vectors in vec(submissions(), 1..30),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let capacity = Capacity { alerts: NonZeroUsize::new(1_000).unwrap(), ..CAPACITY };
            let memory = MemoryStore::new(EPOCH, capacity, unsteady());
            assert_state_follows(&memory, vectors.clone()).await;
            let folder = tempfile::tempdir().unwrap();
            let options = Options { capacity, ..Options::new(EPOCH) };
            let meta = unsteady();
            let sqlite = SqliteStore::open(folder.path(), &options, meta).unwrap();
            assert_state_follows(&sqlite, vectors).await;
        });
    }

    #[test]
    fn the_memory_store_and_the_sqlite_store_return_the_same_results(
        steps in vec(step(), 1..40),
        restart_after in 0..40_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let memory = MemoryStore::new(EPOCH, CAPACITY, unsteady());
            let meta = unsteady();
            let mut sqlite = open(&folder, meta.clone());
            for (index, step) in steps.into_iter().enumerate() {
                if index == restart_after {
                    drop(sqlite);
                    sqlite = open(&folder, meta.clone());
                }
                let expected = answer(&memory, step.clone()).await;
                prop_assert_eq!(answer(&sqlite, step.clone()).await, expected, "{:?}", step);
            }
            prop_assert_eq!(everything(&sqlite).await, everything(&memory).await);
            Ok(())
        })?;
    }
}
