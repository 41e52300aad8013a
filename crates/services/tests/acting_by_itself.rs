//! Tests of the background work of the services: gathering repeats and resolving overdue alerts.
//! The tests pause the clock, so they do not depend on the speed of the machine.
#![expect(clippy::panic, clippy::unwrap_used, reason = "shared test code may panic, as tests do")]

use async_trait::async_trait;
use enum_map::{EnumMap, enum_map};
use northgate_domain::{
    Action, Alert, AlertChange, AlertId, AlertQuery, AlertTimeline, ChatMessage, Clock, Command,
    Deadlines, DedupKey, Epoch, Event, HistoryPage, HistoryRange, MessageQuery, MetaSource,
    Position, Positioned, RaiseAlert, Severity, StatusKind, Summary, Timestamp,
};
use northgate_services::{AlertResolver, AlertService, QuietFor, RaiseCoalescer, SubmitError};
use northgate_storage::{
    AppendError, Capacity, ClosableLog, EventLog, MemoryStore, Outcome, QueryError, ReadError,
    ReadFrom, ReadModel, Submission, Unavailable,
};
use northgate_testkit::{ManualClock, act_on_alert, raise_alert};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, advance, interval};
use tokio_util::sync::CancellationToken;

/// A clock that shows the paused time of tokio, counted from the beginning of 1970.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(i64::try_from(self.0.elapsed().as_micros()).unwrap())
    }
}

struct Scene {
    store: Arc<MemoryStore>,
    log: Arc<ClosableLog>,
    alerts: AlertService,
    clock: Arc<Paused>,
}

impl Scene {
    fn new() -> Self {
        let clock = Arc::new(Paused(Instant::now()));
        let meta = MetaSource::new(clock.clone(), ManualClock::at(0));
        let store = Arc::new(MemoryStore::new(Epoch::new(1), Capacity::default(), meta));
        let log = Arc::new(ClosableLog::new(store.clone()));
        let alerts = alerts(log.clone(), store.clone(), clock.clone());
        Self { store, log, alerts, clock }
    }

    /// Raises an alert in a separate task, as a request does.
    #[expect(clippy::disallowed_methods, reason = "the test joins the task itself")]
    async fn raise(&self, raise: RaiseAlert) -> JoinHandle<Result<Positioned<Alert>, SubmitError>> {
        let alerts = self.alerts.clone();
        let raising =
            tokio::spawn(async move { alerts.raise(raise, None).await.map(|kept| kept.value) });
        settle().await;
        raising
    }

    /// Returns all changes so far, each with the count of its alert after the change.
    async fn events(&self) -> Vec<(AlertChange, u64)> {
        let start = Position::start(Epoch::new(1));
        let events = self.store.read(ReadFrom::After(start), 1_000).await.unwrap();
        let changes = events.into_iter().map(|event| match event.value {
            Event::Alert(event) => (event.change, event.alert.count),
            Event::Chat(message) => panic!("{message:?}"),
        });
        changes.collect()
    }

    async fn statuses(&self) -> Vec<StatusKind> {
        let alerts = self.store.alerts(AlertQuery::newest(100)).await.unwrap().items;
        alerts.iter().map(|alert| alert.value.status.kind()).collect()
    }
}

/// Creates the alert service, which gathers repeats for the default window.
fn alerts(
    log: Arc<dyn EventLog>,
    read_model: Arc<dyn ReadModel>,
    clock: Arc<Paused>,
) -> AlertService {
    let coalescer = RaiseCoalescer::new(log.clone(), RaiseCoalescer::WINDOW, Handle::current());
    AlertService::new(log, read_model, coalescer, clock)
}

/// Runs all due tasks. The paused clock does not advance meanwhile.
async fn settle() {
    for _ in 0..32 {
        yield_now().await;
    }
}

async fn pass(millis: u64) {
    advance(Duration::from_millis(millis)).await;
    settle().await;
}

fn raising(severity: Severity) -> RaiseAlert {
    RaiseAlert { severity, ..raise_alert("Fire") }
}

fn repeat(severity: Severity) -> RaiseAlert {
    keyed("k", severity)
}

fn keyed(key: &str, severity: Severity) -> RaiseAlert {
    RaiseAlert { dedup_key: Some(DedupKey::parse(key).unwrap()), ..raising(severity) }
}

#[tokio::test(start_paused = true)]
async fn the_first_raise_is_immediate_and_repeats_wait_at_most_one_window() {
    use AlertChange::{Raised, Repeated};
    let scene = Scene::new();
    let first = scene.raise(repeat(Severity::Error)).await;
    assert_eq!(first.await.unwrap().unwrap().value.count, 1);
    let mut waiting = Vec::new();
    for _ in 0..7 {
        waiting.push(scene.raise(repeat(Severity::Warning)).await);
        pass(10).await;
    }
    assert_eq!(scene.events().await, [(Raised, 1)]);
    assert!(waiting.iter().all(|task| !task.is_finished()));
    pass(30).await;
    assert_eq!(scene.events().await, [(Raised, 1), (Repeated, 8)]);
    for task in waiting {
        let alert = task.await.unwrap().unwrap();
        assert_eq!((alert.value.count, alert.position.offset), (8, 1));
        assert_eq!(alert.value.severity, Severity::Error);
    }
    // After a window without a raise, the next raise is appended immediately again.
    pass(100).await;
    let next = scene.raise(repeat(Severity::Error)).await;
    assert!(next.is_finished());
    assert_eq!(scene.events().await.last(), Some(&(Repeated, 9)));
}

#[tokio::test(start_paused = true)]
async fn raises_beyond_the_limit_of_waiting_raises_are_appended_alone() {
    let scene = Scene::new();
    scene.raise(repeat(Severity::Warning)).await;
    scene.raise(keyed("l", Severity::Warning)).await;
    for number in 0..RaiseCoalescer::MOST {
        let key = if number % 2 == 0 { "k" } else { "l" };
        let waiting = scene.raise(keyed(key, Severity::Warning)).await;
        assert!(!waiting.is_finished());
    }
    for (key, count) in [("k", 2), ("l", 2), ("l", 3), ("m", 1), ("m", 2)] {
        let alone = scene.raise(keyed(key, Severity::Warning)).await;
        assert_eq!(alone.await.unwrap().unwrap().value.count, count, "{key}");
    }
    pass(100).await;
    let half = u64::try_from(RaiseCoalescer::MOST / 2).unwrap();
    let counts: Vec<_> = scene.events().await.iter().rev().take(2).map(|event| event.1).collect();
    assert_eq!(counts, [half + 3, half + 2]);
    assert!(!scene.raise(repeat(Severity::Warning)).await.is_finished(), "raises can wait again");
}

#[tokio::test(start_paused = true)]
async fn the_severity_of_a_resolved_alert_does_not_affect_the_next_one() {
    let scene = Scene::new();
    let first = scene.raise(repeat(Severity::Critical)).await.await.unwrap().unwrap();
    let resolve = act_on_alert(first.value.id, Action::Resolve);
    scene.alerts.act(resolve, None).await.unwrap();
    let anew = scene.raise(repeat(Severity::Info)).await;
    pass(100).await;
    assert_ne!(anew.await.unwrap().unwrap().value.id, first.value.id);
    assert!(!scene.raise(repeat(Severity::Info)).await.is_finished());
    assert!(
        scene.raise(repeat(Severity::Error)).await.is_finished(),
        "error is more severe than info"
    );
}

#[tokio::test(start_paused = true)]
async fn a_panicking_store_fails_waiting_raises_and_blocks_no_later_one() {
    let scene = Scene::new();
    let broken = Arc::new(PanickingLog { log: scene.log.clone(), panics: true.into() });
    let alerts = alerts(broken, scene.store.clone(), scene.clock.clone());
    let scene = Scene { alerts, ..scene };
    let lost = scene.raise(repeat(Severity::Info)).await;
    assert_eq!(lost.await.unwrap(), Err(SubmitError::OutcomeUnknown));
    let kept = scene.raise(repeat(Severity::Info)).await;
    assert!(kept.is_finished());
    assert_eq!(kept.await.unwrap().unwrap().value.count, 1);
}

#[tokio::test(start_paused = true)]
async fn raises_of_keys_beyond_the_lane_limit_are_appended_alone() {
    let scene = Scene::new();
    for number in 0..RaiseCoalescer::MOST {
        scene.raise(keyed(&number.to_string(), Severity::Warning)).await;
    }
    assert!(!scene.raise(keyed("0", Severity::Warning)).await.is_finished());
    for count in 1..=3 {
        let alone = scene.raise(repeat(Severity::Warning)).await;
        assert!(alone.is_finished());
        assert_eq!(alone.await.unwrap().unwrap().value.count, count);
    }
    // A lane ends after a window without a raise, so new lanes can begin.
    pass(100).await;
    pass(100).await;
    scene.raise(repeat(Severity::Warning)).await;
    assert!(!scene.raise(repeat(Severity::Warning)).await.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_more_severe_repeat_is_appended_immediately_with_those_waiting() {
    let scene = Scene::new();
    scene.raise(repeat(Severity::Warning)).await;
    let waiting = scene.raise(repeat(Severity::Warning)).await;
    assert!(!waiting.is_finished());
    let worse = scene.raise(repeat(Severity::Critical)).await;
    assert!(worse.is_finished() && waiting.is_finished());
    let alert = waiting.await.unwrap().unwrap().value;
    assert_eq!((alert.count, alert.severity), (3, Severity::Critical));
    let again = scene.raise(repeat(Severity::Critical)).await;
    assert!(!again.is_finished(), "the alert has this severity already");
}

#[tokio::test(start_paused = true)]
async fn raises_of_other_keys_and_without_a_key_do_not_wait() {
    let scene = Scene::new();
    let other = keyed("l", Severity::Info);
    for raise in [repeat(Severity::Info), other, raising(Severity::Info), raising(Severity::Info)] {
        assert!(scene.raise(raise).await.is_finished());
    }
    assert_eq!(scene.events().await, [(AlertChange::Raised, 1); 4]);
}

#[tokio::test(start_paused = true)]
async fn a_raise_is_appended_even_if_its_caller_stops_waiting() {
    let scene = Scene::new();
    let first = scene.raise(repeat(Severity::Info)).await;
    let gone = scene.raise(repeat(Severity::Info)).await;
    first.abort();
    gone.abort();
    pass(100).await;
    assert_eq!(scene.events().await, [(AlertChange::Raised, 1), (AlertChange::Repeated, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_flush_appends_waiting_raises_without_waiting_for_the_window() {
    let scene = Scene::new();
    scene.raise(repeat(Severity::Info)).await;
    let waiting = scene.raise(repeat(Severity::Info)).await;
    let before = Instant::now();
    scene.alerts.flush().await;
    assert_eq!(Instant::now(), before, "a flush does not wait for the window");
    assert_eq!(waiting.await.unwrap().unwrap().value.count, 2);
    scene.log.close().await;
    let late = scene.raise(repeat(Severity::Info)).await;
    assert_eq!(late.await.unwrap(), Err(SubmitError::Unavailable));
}

#[tokio::test(start_paused = true)]
async fn every_waiting_raise_gets_the_error_of_a_closed_log() {
    let scene = Scene::new();
    scene.raise(repeat(Severity::Info)).await;
    let waiting =
        [scene.raise(repeat(Severity::Info)).await, scene.raise(repeat(Severity::Info)).await];
    scene.log.close().await;
    pass(100).await;
    for task in waiting {
        assert_eq!(task.await.unwrap(), Err(SubmitError::Unavailable));
    }
    assert_eq!(scene.events().await, [(AlertChange::Raised, 1)]);
}

fn resolving(scene: &Scene, quiet_for: QuietFor) -> (CancellationToken, JoinHandle<()>) {
    resolving_in(scene.store.clone(), scene, quiet_for)
}

/// Starts a resolver that queries `read_model` each second.
#[expect(clippy::disallowed_methods, reason = "the test joins the task itself")]
fn resolving_in(
    read_model: Arc<dyn ReadModel>,
    scene: &Scene,
    quiet_for: QuietFor,
) -> (CancellationToken, JoinHandle<()>) {
    let ticks = interval(Duration::from_secs(1));
    let alerts = scene.alerts.clone();
    let timer =
        AlertResolver::new(read_model, alerts, quiet_for, scene.clock.clone(), ticks).unwrap();
    let stop = CancellationToken::new();
    (stop.clone(), tokio::spawn(timer.run(stop)))
}

#[tokio::test(start_paused = true)]
async fn an_alert_is_resolved_when_it_expires_or_was_quiet_too_long() {
    use StatusKind::{Open, Resolved};
    let scene = Scene::new();
    let minute = Some(Duration::from_mins(1));
    let (stop, timer) = resolving(&scene, enum_map! { Severity::Warning => minute, _ => None });
    let end = Some(Timestamp::from_unix_micros(10_000_000));
    scene.raise(RaiseAlert { expires_at: end, ..raising(Severity::Critical) }).await;
    scene.raise(raising(Severity::Warning)).await;
    scene.raise(RaiseAlert { severity: Severity::Warning, ..repeat(Severity::Warning) }).await;
    scene.raise(raising(Severity::Error)).await;
    pass(9_900).await;
    assert_eq!(scene.statuses().await, [Open; 4]);
    pass(1_100).await;
    assert_eq!(scene.statuses().await, [Resolved, Open, Open, Open]);
    // A repeat restarts the quiet time.
    pass(40_000).await;
    scene.raise(repeat(Severity::Warning)).await;
    pass(10_000).await;
    assert_eq!(scene.statuses().await, [Resolved, Resolved, Open, Open]);
    pass(50_000).await;
    assert_eq!(scene.statuses().await, [Resolved, Resolved, Resolved, Open]);
    let alerts = scene.store.alerts(AlertQuery::newest(9)).await.unwrap().items;
    let said = alerts.iter().map(|alert| {
        let notes = alert.value.notes.as_slice();
        notes.last().map_or("", |note| note.text.as_str())
    });
    let quiet = "No event came within the quiet time of this severity.";
    assert_eq!(said.collect::<Vec<_>>(), ["The expiry time was reached.", quiet, quiet, ""]);
    stop.cancel();
    timer.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn more_overdue_alerts_than_one_query_returns_are_all_resolved() {
    let scene = Scene::new();
    let end = Some(Timestamp::from_unix_micros(1));
    for _ in 0..600 {
        let raise = RaiseAlert { expires_at: end, ..raising(Severity::Info) };
        scene.alerts.raise(raise, None).await.unwrap();
    }
    advance(Duration::from_millis(1)).await;
    let (stop, timer) = resolving(&scene, EnumMap::default());
    for _ in 0..1_000 {
        yield_now().await;
    }
    let counts = scene.store.summary().await.unwrap().counts;
    assert_eq!(counts.count(StatusKind::Resolved, Severity::Info), 600);
    stop.cancel();
    timer.await.unwrap();
}

/// A log whose first append panics.
struct PanickingLog {
    log: Arc<ClosableLog>,
    panics: AtomicBool,
}

#[async_trait]
impl EventLog for PanickingLog {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        assert!(!self.panics.swap(false, Ordering::Relaxed), "the planned panic of the test");
        self.log.append(submissions).await
    }

    async fn read(
        &self,
        from: ReadFrom,
        limit: usize,
    ) -> Result<Vec<Positioned<Event>>, ReadError> {
        self.log.read(from, limit).await
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.log.head()
    }
}

/// A read model whose `overdue` returns outdated states: after it has read the overdue alerts, it
/// raises the alert again, with `end` as expiry time.
struct RaisingAgain {
    store: Arc<MemoryStore>,
    end: Option<Timestamp>,
}

#[async_trait]
impl ReadModel for RaisingAgain {
    async fn alerts(&self, query: AlertQuery) -> Result<HistoryPage<Alert>, QueryError> {
        self.store.alerts(query).await
    }

    async fn messages(&self, query: MessageQuery) -> Result<HistoryPage<ChatMessage>, QueryError> {
        self.store.messages(query).await
    }

    async fn alert(&self, id: AlertId) -> Result<Option<Positioned<Alert>>, Unavailable> {
        self.store.alert(id).await
    }

    async fn alert_events(
        &self,
        id: AlertId,
        range: HistoryRange,
    ) -> Result<Option<AlertTimeline>, QueryError> {
        self.store.alert_events(id, range).await
    }

    async fn summary(&self) -> Result<Summary, Unavailable> {
        self.store.summary().await
    }

    async fn overdue(
        &self,
        deadlines: Deadlines,
        limit: usize,
    ) -> Result<Vec<Positioned<Alert>>, Unavailable> {
        let overdue = self.store.overdue(deadlines, limit).await?;
        if !overdue.is_empty() {
            let again = RaiseAlert { expires_at: self.end, ..repeat(Severity::Info) };
            self.store.append(vec![Command::RaiseAlert(again).into()]).await.unwrap();
        }
        Ok(overdue)
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_repeat_postpones_expiry() {
    use AlertChange::{Raised, Repeated, Resolved};
    for (new_end, changes) in [
        (Some(Timestamp::from_unix_micros(i64::MAX)), &[(Raised, 1), (Repeated, 2)][..]),
        (None, &[(Raised, 1), (Repeated, 2), (Resolved, 2)]),
    ] {
        let scene = Scene::new();
        let end = Some(Timestamp::from_unix_micros(1));
        scene.raise(RaiseAlert { expires_at: end, ..repeat(Severity::Info) }).await;
        settle().await;
        advance(Duration::from_millis(1)).await;
        let store = Arc::new(RaisingAgain { store: scene.store.clone(), end: new_end });
        let (stop, timer) = resolving_in(store, &scene, EnumMap::default());
        settle().await;
        assert_eq!(scene.events().await, changes, "after the first tick");
        pass(10_000).await;
        assert_eq!(scene.events().await, changes);
        stop.cancel();
        timer.await.unwrap();
    }
}
