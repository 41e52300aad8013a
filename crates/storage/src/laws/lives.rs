//! The life cycle of alerts: a store decides commands on the stored state, and queries show that
//! state.

use super::Harness;
use super::manual_clock::ManualClock;
use super::sample::{
    append, append_one, assert_contiguous, everything_after, head, open, say, window,
};
use crate::{AppendError, Capacity, EventStore, Outcome, Rejection, Submission};
use enum_map::enum_map;
use northgate_domain::{
    ActOnAlert, Action, Alert, AlertChange, AlertCounts, AlertEvent, AlertId, AlertQuery, Command,
    Deadlines, DedupKey, Event, Label, LabelName, LabelValue, Labels, Location, MessageQuery,
    MessageText, NoteText, Operator, Position, Positioned, PostMessage, RaiseAlert, Revision,
    Sender, Severity, SeverityFilter, Source, Status, StatusKind, Summary, Timestamp,
};
use std::num::NonZeroUsize;
use tokio::task::JoinSet;
use uuid::Uuid;

pub(super) fn raising(message: &str) -> RaiseAlert {
    RaiseAlert::new(MessageText::parse(message).unwrap(), Location::parse("Gate").unwrap())
}

pub(super) fn keyed(message: &str, key: &str) -> RaiseAlert {
    RaiseAlert { dedup_key: Some(DedupKey::parse(key).unwrap()), ..raising(message) }
}

fn acting(alert: AlertId, action: Action, by: &str) -> ActOnAlert {
    let by = Operator::parse(by).unwrap();
    let note = (action == Action::Annotate).then(|| NoteText::parse("a note").unwrap());
    ActOnAlert { alert, action, by, note, expected: None }
}

pub(super) fn act(alert: AlertId, action: Action, by: &str) -> Submission {
    Command::ActOnAlert(acting(alert, action, by)).into()
}

pub(super) fn alert_of(event: Positioned<Event>) -> AlertEvent {
    match event.value {
        Event::Alert(event) => event,
        Event::Chat(message) => {
            panic!("the store returned a chat event where an alert event was expected: {message:?}")
        }
    }
}

pub(super) async fn raise(store: &dyn EventStore, raise: RaiseAlert) -> AlertEvent {
    alert_of(append(store, Command::RaiseAlert(raise).into()).await)
}

pub(super) async fn all(store: &dyn EventStore) -> Vec<Positioned<Alert>> {
    store.alerts(AlertQuery::newest(1_000)).await.unwrap().items
}

/// Returns the counts of the alerts that the collection returns, for a comparison with the summary.
async fn counted(store: &dyn EventStore) -> Summary {
    let alerts = store.alerts(AlertQuery::newest(1_000)).await.unwrap();
    let mut counts = AlertCounts::default();
    alerts.items.iter().for_each(|alert| counts.add(&alert.value));
    Summary { position: alerts.position, counts }
}

/// Every change of an alert must append an event with the state after it. Queries must show that
/// state with the position of the raise. Each change must increase the revision by one.
pub async fn every_change_of_an_alert_is_an_event_with_the_state_after_it(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    let store = store.as_ref();
    let start = head(store);
    append(store, say("before")).await;
    let raised = append(store, Command::RaiseAlert(keyed("Fire", "k")).into()).await;
    let place = raised.position;
    let id = alert_of(raised).alert.id;
    let mut expected = vec![AlertChange::Raised];
    for (action, change) in [
        (Action::Acknowledge, AlertChange::Acknowledged),
        (Action::Annotate, AlertChange::Annotated),
        (Action::Unacknowledge, AlertChange::Unacknowledged),
        (Action::Resolve, AlertChange::Resolved),
        (Action::Reopen, AlertChange::Reopened),
    ] {
        let event = alert_of(append(store, act(id, action, "Anna")).await);
        assert_eq!((event.change, event.by.unwrap().as_str()), (change, "Anna"));
        let shown = store.alert(id).await.unwrap().unwrap();
        assert_eq!((shown.position, &shown.value), (place, &event.alert));
        assert_eq!(all(store).await, [shown]);
        expected.push(change);
    }
    assert_eq!(raise(store, keyed("Fire", "k")).await.alert.count, 2);
    expected.push(AlertChange::Repeated);

    let events = everything_after(store, start).await;
    assert_contiguous(&events, start);
    let (mut changes, mut revisions) = (Vec::new(), Vec::new());
    for event in events.into_iter().skip(1) {
        let event = alert_of(event);
        changes.push(event.change);
        revisions.push(event.alert.revision.get());
    }
    assert_eq!(changes, expected);
    assert_eq!(revisions, (1..=7).collect::<Vec<_>>());
}

/// For an action that changes nothing, the store must return `Unchanged` with the current alert. If
/// an action contradicts the state, expects an outdated revision, or names an unknown alert, the
/// store must refuse the complete vector. In all these cases the head must not move.
pub async fn refused_and_unchanged_actions_append_no_event(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    let store = store.as_ref();
    let raised = append(store, Command::RaiseAlert(raising("Fire")).into()).await;
    let place = raised.position;
    let id = alert_of(raised).alert.id;
    append(store, act(id, Action::Acknowledge, "Anna")).await;
    let resolved = alert_of(append(store, act(id, Action::Resolve, "Anna")).await).alert;
    let before = head(store);

    let state = Positioned { position: place, value: resolved.clone() };
    let again = append_one(store, act(id, Action::Resolve, "Ben")).await;
    assert_eq!(again, Outcome::Unchanged(state));
    let present = Box::new(resolved);
    let unknown = AlertId(Uuid::from_u128(u128::MAX));
    let too_late =
        ActOnAlert { expected: Some(vec![Revision::FIRST]), ..acting(id, Action::Reopen, "Ben") };
    for (submission, rejection) in [
        (
            act(id, Action::Acknowledge, "Ben"),
            northgate_domain::Rejection::Contradicts {
                action: Action::Acknowledge,
                present: present.clone(),
            },
        ),
        (Command::ActOnAlert(too_late).into(), northgate_domain::Rejection::Outdated { present }),
        (act(unknown, Action::Annotate, "Ben"), northgate_domain::Rejection::NoSuchAlert(unknown)),
    ] {
        let rejection = Rejection::Rule(rejection);
        let refused = store.append(vec![say("x"), submission]).await;
        assert_eq!(refused, Err(AppendError::Rejected { index: 1, rejection }));
    }
    assert_eq!(head(store), before);
}

/// If many operators acknowledge one alert at the same time, the store must append one event, and
/// every outcome must show the same owner.
pub async fn one_of_many_concurrent_acknowledgements_wins(harness: &dyn Harness) {
    let store = open(harness, window(1_000)).await;
    let id = raise(store.as_ref(), raising("Fire")).await.alert.id;
    let before = head(store.as_ref());
    let mut tasks = JoinSet::new();
    for n in 0..50 {
        let store = store.clone();
        tasks.spawn(async move {
            let by = format!("Operator {n}");
            append_one(store.as_ref(), act(id, Action::Acknowledge, &by)).await
        });
    }
    let mut winners = Vec::new();
    let mut seen = Vec::new();
    for outcome in tasks.join_all().await {
        let alert = match outcome {
            Outcome::Appended { event, .. } => {
                let AlertEvent { alert, by, .. } = alert_of(event);
                winners.push(by.unwrap());
                alert
            }
            Outcome::Unchanged(alert) => alert.value,
            other @ Outcome::Replayed(_) => panic!("an append without a key returned {other:?}"),
        };
        seen.push(alert.status.acknowledged().unwrap().by.clone());
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(seen, vec![winners[0].clone(); 50]);
    assert_eq!(head(store.as_ref()), before.advanced_by(1));
}

/// Beyond the capacity, resolved alerts must be evicted before others; in both groups the oldest
/// first. An action on an evicted alert must be refused. A raise with the dedup key of an evicted
/// alert must create a new alert.
pub async fn resolved_alerts_are_evicted_first(harness: &dyn Harness) {
    let capacity = Capacity { alerts: NonZeroUsize::new(3).unwrap(), ..window(100) };
    let store = open(harness, capacity).await;
    let store = store.as_ref();
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(raise(store, keyed(&n.to_string(), &n.to_string())).await.alert.id);
    }
    let texts = async || -> Vec<String> {
        all(store).await.iter().map(|alert| alert.value.message.as_str().to_owned()).collect()
    };
    append(store, act(ids[1], Action::Resolve, "Anna")).await;
    raise(store, raising("3")).await;
    assert_eq!(texts().await, ["0", "2", "3"]);
    append(store, act(ids[2], Action::Acknowledge, "Anna")).await;
    raise(store, raising("4")).await;
    assert_eq!(
        texts().await,
        ["2", "3", "4"],
        "no alert was resolved, but the store did not evict the oldest"
    );
    let gone = store.append(vec![act(ids[0], Action::Resolve, "Anna")]).await;
    assert!(
        matches!(gone, Err(AppendError::Rejected { .. })),
        "the store accepted an action on an evicted alert: {gone:?}"
    );
    let anew = raise(store, keyed("0", "0")).await;
    assert_eq!(anew.change, AlertChange::Raised);
    assert_eq!(store.summary().await.unwrap(), counted(store).await);
}

/// After every append, the summary must equal the counts of the alerts that the collection returns.
pub async fn a_summary_counts_the_retained_alerts(harness: &dyn Harness) {
    let capacity = Capacity { alerts: NonZeroUsize::new(6).unwrap(), ..window(100) };
    let store = open(harness, capacity).await;
    let store = store.as_ref();
    assert_eq!(store.summary().await.unwrap(), counted(store).await);
    let mut ids = Vec::new();
    let mut over = 0;
    for (n, severity) in Severity::ALL.into_iter().cycle().take(12).enumerate() {
        let raise = RaiseAlert { severity, ..keyed("Fire", &(n % 8).to_string()) };
        ids.push(self::raise(store, raise).await.alert.id);
        let action = Action::ALL.into_iter().cycle().nth(n).unwrap();
        for id in [ids[n / 2], ids[n]] {
            // Some of these actions are refused or change nothing.
            let _ = store.append(vec![act(id, action, "Anna")]).await;
            let summary = store.summary().await.unwrap();
            assert_eq!(summary, counted(store).await);
            over += summary.counts.count(StatusKind::Resolved, Severity::Error);
        }
    }
    assert!(over > 0, "no summary counted the resolved alerts of severity error");
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_unix_micros(micros)
}

/// `overdue` must return exactly the alerts whose deadline has passed, in their current state. Only
/// current deadlines count, so earlier changes of an alert must have no effect.
pub async fn the_overdue_alerts_are_found_and_no_others(harness: &dyn Harness) {
    let clock = ManualClock::at(0);
    let store = harness.open(window(100), clock.meta()).await;
    let store = store.as_ref();
    let expiring = |n: i64| RaiseAlert {
        expires_at: Some(at(n)),
        ..keyed(&format!("expires at {n}"), &n.to_string())
    };
    let of = |severity: Severity| RaiseAlert { severity, ..raising(severity.name()) };
    clock.set(1_000);
    let ten = raise(store, expiring(5_010)).await.alert.id;
    raise(store, expiring(5_020)).await;
    raise(store, expiring(5_021)).await;
    let over = raise(store, expiring(5_005)).await.alert.id;
    append(store, act(over, Action::Resolve, "Anna")).await;
    raise(store, of(Severity::Info)).await;
    let error = raise(store, of(Severity::Error)).await.alert.id;
    clock.set(2_000);
    raise(store, of(Severity::Error)).await;

    let found = async |now: i64, error_since: Option<i64>| {
        let quiet_since = enum_map! { Severity::Error => error_since.map(at), _ => None };
        let deadlines = Deadlines { now: at(now), quiet_since };
        let found = store.overdue(deadlines, 100).await.unwrap();
        let mut texts = Vec::new();
        for alert in &found {
            assert!(
                deadlines.overdue(&alert.value).is_some(),
                "overdue returned an alert whose deadline has not passed: {alert:?}"
            );
            assert_eq!(store.alert(alert.value.id).await.unwrap().as_ref(), Some(alert));
            texts.push(alert.value.message.as_str().to_owned());
        }
        let fewer = store.overdue(deadlines, 1).await.unwrap();
        assert_eq!(fewer.len(), found.len().min(1));
        texts.sort_unstable();
        texts
    };
    assert_eq!(found(5_009, None).await, Vec::<String>::new());
    assert_eq!(found(5_020, None).await, ["expires at 5010", "expires at 5020"]);
    assert_eq!(found(0, Some(999)).await, Vec::<String>::new());
    assert_eq!(found(0, Some(1_000)).await, ["error"]);
    assert_eq!(found(0, Some(2_000)).await, ["error", "error"]);
    // A note restarts the quiet time, and a repeat with a later expiry time postpones expiry.
    clock.set(3_000);
    append(store, act(error, Action::Annotate, "Anna")).await;
    let later = RaiseAlert { expires_at: Some(at(9_000)), ..expiring(5_010) };
    assert_eq!(raise(store, later).await.alert.id, ten);
    assert_eq!(found(5_020, Some(2_999)).await, ["error", "expires at 5020"]);
    let ended = store.alert(ten).await.unwrap().unwrap().value;
    assert_eq!((ended.expires_at, ended.status), (Some(at(9_000)), Status::Open));
}

fn label(text: &str) -> Label {
    let (name, value) = text.split_once('=').unwrap();
    Label { name: LabelName::parse(name).unwrap(), value: LabelValue::parse(value).unwrap() }
}

/// Each condition of a query must be compared with the current status, severity, source, location,
/// labels or text of an alert.
pub async fn alerts_are_filtered_by_their_current_fields(harness: &dyn Harness) {
    let store = open(harness, window(3)).await;
    let store = store.as_ref();
    let mut ids = Vec::new();
    for (severity, source, labels) in [
        (Severity::Critical, Some("disk"), vec!["host=a", "rack=Ä 1"]),
        (Severity::Info, None, vec!["host=b"]),
        (Severity::Warning, Some("disk"), vec![]),
        (Severity::Error, Some("net"), vec!["host=a", "rack=2"]),
        (Severity::Info, Some("net"), vec!["host=A", "rack=a=b"]),
    ] {
        let labels = Labels::new(labels.into_iter().map(label).collect()).unwrap();
        let source = source.map(|name| Source::parse(name).unwrap());
        let raise = RaiseAlert { severity, source, labels, ..raising("Fire") };
        ids.push(self::raise(store, raise).await.alert.id);
    }
    append(store, act(ids[0], Action::Acknowledge, "Anna")).await;
    append(store, act(ids[1], Action::Resolve, "Anna")).await;
    let first = store.alert(ids[0]).await.unwrap().unwrap().position.offset;

    for (text, expected) in [
        ("status=open", &[2, 3, 4][..]),
        ("status=acknowledged", &[0]),
        ("status=resolved status=acknowledged", &[0, 1]),
        ("severity=critical", &[0]),
        ("severity=info severity=error", &[1, 3, 4]),
        ("severity=info severity=error severity=info", &[1, 3, 4]),
        ("source=disk", &[0, 2]),
        ("source=net source=disk", &[0, 2, 3, 4]),
        ("source=nobody", &[]),
        ("label.host=a", &[0, 3]),
        ("label.host=a label.host=b", &[0, 1, 3]),
        ("label.host=a label.rack=2", &[3]),
        ("label.host=A label.rack=a=b", &[4]),
        ("label.rack=Ä_1", &[0]),
        ("label.none=a", &[]),
        ("q=fire label.host=a status=open", &[3]),
        ("q=host", &[]),
        ("q=host label.host=a", &[]),
        ("status=open severity=info source=net label.host=A", &[4]),
        ("status=open severity=info source=disk", &[]),
        ("status=open location=Gate", &[2, 3, 4]),
        ("severity=error severity=critical status=acknowledged status=open", &[0, 3]),
        ("min_severity=error status=acknowledged status=open", &[0, 3]),
    ] {
        let mut query = parsed(text);
        let found = store.alerts(query.clone()).await.unwrap().items;
        let places: Vec<_> = found.iter().map(|alert| alert.position.offset - first).collect();
        assert_eq!(places, expected, "the store returned a wrong page for the query `{text}`");
        // The same query again, in pages of one alert each, from the oldest to the newest.
        query.range.limit = 1;
        query.range.after = Some(Position::start(head(store).epoch));
        for place in &places {
            let page = store.alerts(query.clone()).await.unwrap();
            let position = page.items[0].position;
            let expected = (*place, Some(place) != places.last());
            assert_eq!(
                (position.offset - first, page.has_newer),
                expected,
                "the store returned a wrong page for the query `{text}`"
            );
            query.range.after = Some(position);
        }
        assert_eq!(
            store.alerts(query).await.unwrap().items,
            [],
            "the store returned a wrong page for the query `{text}`"
        );
    }
}

/// Parses the query in one row of the table above.
fn parsed(text: &str) -> AlertQuery {
    let mut query = AlertQuery::newest(100);
    for condition in text.split(' ') {
        let (name, value) = condition.split_once('=').unwrap();
        match name {
            "status" => query.statuses.push(StatusKind::parse(value).unwrap()),
            "severity" => {
                let mut severities = query.severities.listed();
                severities.push(Severity::parse(value).unwrap());
                query.severities = SeverityFilter::AnyOf(severities);
            }
            "min_severity" => {
                query.severities = SeverityFilter::AtLeast(Severity::parse(value).unwrap());
            }
            "source" => query.sources.push(Source::parse(value).unwrap()),
            "location" => query.locations.push(Location::parse(value).unwrap()),
            "q" => query.search = northgate_domain::Search::parse(value).unwrap(),
            _ => {
                let name = name.strip_prefix("label.").unwrap();
                query.labels.push(label(&format!("{name}={}", value.replace('_', " "))));
            }
        }
    }
    query
}

/// A query with an alert id must return exactly the messages of this alert. A message for an
/// unknown alert must be refused.
pub async fn a_thread_contains_the_messages_of_its_alert(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    let store = store.as_ref();
    let one = raise(store, raising("Fire")).await.alert.id;
    let two = raise(store, raising("Flood")).await.alert.id;
    let about = |id: Option<AlertId>, text: &str| {
        Submission::from(Command::PostMessage(PostMessage {
            sender: Sender::parse("Anna").unwrap(),
            message: MessageText::parse(text).unwrap(),
            alert_id: id,
        }))
    };
    for (id, text) in
        [(Some(one), "first"), (None, "to all"), (Some(two), "other"), (Some(one), "second")]
    {
        append(store, about(id, text)).await;
    }
    let texts = async |alert_id, limit| -> Vec<String> {
        let query = MessageQuery { alert_id, ..MessageQuery::newest(limit) };
        let found = store.messages(query).await.unwrap().items;
        found.iter().map(|message| message.value.message.as_str().to_owned()).collect()
    };
    assert_eq!(texts(Some(one), 9).await, ["first", "second"]);
    assert_eq!(texts(Some(one), 1).await, ["second"]);
    assert_eq!(texts(Some(two), 9).await, ["other"]);
    assert_eq!(texts(None, 9).await.len(), 4);
    let unknown = AlertId(Uuid::from_u128(u128::MAX));
    assert_eq!(texts(Some(unknown), 9).await, Vec::<String>::new());
    let refused = store.append(vec![about(Some(unknown), "nobody")]).await;
    let rejection = Rejection::Rule(northgate_domain::Rejection::NoSuchAlert(unknown));
    assert_eq!(refused, Err(AppendError::Rejected { index: 0, rejection }));
}
