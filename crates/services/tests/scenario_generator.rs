//! Tests of the task that performs a scenario, with a paused clock.
#![expect(clippy::unwrap_used, reason = "shared test code may panic, as tests do")]

use northgate_domain::{
    Alert, AlertQuery, Clock, Epoch, MetaSource, Positioned, StatusKind, Timestamp,
};
use northgate_services::{AlertService, RaiseCoalescer, Scenario, ScenarioGenerator, Script};
use northgate_storage::{Capacity, ClosableLog, MemoryStore, ReadModel};
use northgate_testkit::ManualClock;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// A clock that shows the paused time of tokio, counted from the beginning of 1970.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(i64::try_from(self.0.elapsed().as_micros()).unwrap())
    }
}

struct Running {
    store: Arc<MemoryStore>,
    log: Arc<ClosableLog>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    #[expect(clippy::disallowed_methods, reason = "the test joins the task itself")]
    fn start(scenario: Scenario) -> Self {
        let clock = Arc::new(Paused(Instant::now()));
        let meta = MetaSource::new(clock.clone(), ManualClock::at(0));
        let store = Arc::new(MemoryStore::new(Epoch::new(1), Capacity::default(), meta));
        let log = Arc::new(ClosableLog::new(store.clone()));
        let coalescer = RaiseCoalescer::new(log.clone(), RaiseCoalescer::WINDOW, Handle::current());
        let alerts = AlertService::new(log.clone(), store.clone(), coalescer, clock.clone());
        let script = Script::new(scenario, 1, None).unwrap();
        let stop = CancellationToken::new();
        let generator = ScenarioGenerator::new(alerts, clock, script);
        let task = tokio::spawn(generator.run(stop.clone()));
        Self { store, log, stop, task }
    }

    async fn alerts(&self) -> Vec<Positioned<Alert>> {
        self.store.alerts(AlertQuery::newest(1_000)).await.unwrap().items
    }
}

#[tokio::test(start_paused = true)]
async fn operators_act_on_the_alerts_of_a_busy_board() {
    let running = Running::start(Scenario::Busy);
    sleep(Duration::from_secs(5)).await;
    let alerts = running.alerts().await;
    assert!((24..=26).contains(&alerts.len()), "{}", alerts.len());
    let count = |is_one: fn(&Alert) -> bool| alerts.iter().filter(|a| is_one(&a.value)).count();
    assert!(count(|alert| alert.status.kind() == StatusKind::Open) >= 8);
    assert!(count(|alert| alert.status.kind() == StatusKind::Acknowledged) >= 2);
    assert!(count(|alert| alert.count > 1) >= 2);
    assert_eq!(count(|alert| alert.expires_at.is_none()), 0);
    // A new alert every 4 s.
    sleep(Duration::from_mins(1)).await;
    let later = running.alerts().await;
    assert!((14..=16).contains(&(later.len() - alerts.len())), "{}", later.len());
    let resolved = later.iter().filter(|a| a.value.status.kind() == StatusKind::Resolved).count();
    assert!(resolved >= 3, "{resolved}");
    running.stop.cancel();
    running.task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_scenario_survives_a_store_that_accepts_nothing() {
    let running = Running::start(Scenario::Storm);
    sleep(Duration::from_secs(2)).await;
    let before = running.alerts().await.len();
    assert!(before >= 4);
    running.log.close().await;
    sleep(Duration::from_mins(2)).await;
    assert_eq!(running.alerts().await.len(), before);
    assert!(!running.task.is_finished());
    running.stop.cancel();
    running.task.await.unwrap();
}
