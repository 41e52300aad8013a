//! The background generator, which raises regular alerts for demonstrations, as the former Python
//! service did.

use crate::AlertService;
use northgate_domain::{
    Clock, Location, MessageText, RaiseAlert, Severity, Source, TextError, Timestamp,
};
use std::sync::Arc;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Raises the alert "Intruder detected" with the location "North Gate" at every tick.
pub struct AlertGenerator {
    alerts: AlertService,
    ticks: Interval,
    clock: Arc<dyn Clock>,
    alert: RaiseAlert,
}

/// Time after which each alert expires, in microseconds: 10 minutes.
const LIFETIME_MICROS: i64 = 10 * 60 * 1_000_000;

impl AlertGenerator {
    /// Creates a generator that raises an alert at each of `ticks`. The first tick of an interval
    /// is immediate. The caller creates the interval, so tests can use a paused clock. Missed
    /// ticks, for example while the machine slept, are skipped.
    ///
    /// Each alert expires 10 minutes after its raise. `clock` provides the time of the raise.
    pub fn new(
        alerts: AlertService,
        mut ticks: Interval,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TextError> {
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let message = MessageText::parse("Intruder detected")?;
        let alert = RaiseAlert {
            source: Some(Source::parse("generator")?),
            severity: Severity::Info,
            ..RaiseAlert::new(message, Location::parse("North Gate")?)
        };
        Ok(Self { alerts, ticks, clock, alert })
    }

    /// Runs until `stop` is cancelled. If the store does not accept an alert, the error is logged,
    /// and the generator tries again at the next tick.
    pub async fn run(mut self, stop: CancellationToken) {
        while stop.run_until_cancelled(self.ticks.tick()).await.is_some() {
            let end = self.clock.now().unix_micros().saturating_add(LIFETIME_MICROS);
            let expires_at = Some(Timestamp::from_unix_micros(end));
            let alert = RaiseAlert { expires_at, ..self.alert.clone() };
            if let Err(error) = self.alerts.raise(alert, None).await {
                tracing::warn!(
                    %error,
                    "the generator could not raise its alert; it tries again at its next tick"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RaiseCoalescer;
    use northgate_domain::{AlertQuery, Epoch};
    use northgate_storage::laws::ManualClock;
    use northgate_storage::{Capacity, ClosableLog, MemoryStore, ReadModel};
    use std::time::Duration;
    use tokio::runtime::Handle;
    use tokio::time::{advance, interval};

    struct Running {
        store: Arc<MemoryStore>,
        log: Arc<ClosableLog>,
        stop: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    impl Running {
        #[expect(clippy::disallowed_methods, reason = "the test joins the task itself")]
        fn start(every: Duration) -> Self {
            let clock = ManualClock::at(0);
            let store =
                Arc::new(MemoryStore::new(Epoch::new(1), Capacity::default(), clock.meta()));
            let log = Arc::new(ClosableLog::new(store.clone()));
            let stop = CancellationToken::new();
            let coalescer =
                RaiseCoalescer::new(log.clone(), RaiseCoalescer::WINDOW, Handle::current());
            let alerts = AlertService::new(log.clone(), store.clone(), coalescer, clock.clone());
            let generator = AlertGenerator::new(alerts, interval(every), clock).unwrap();
            let task = tokio::spawn(generator.run(stop.clone()));
            Self { store, log, stop, task }
        }

        async fn raised(&self) -> usize {
            // The paused clock does not advance here. Due tasks run when the test yields.
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
            self.store.alerts(AlertQuery::newest(1_000)).await.unwrap().items.len()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_generator_raises_at_start_and_at_every_interval() {
        let running = Running::start(Duration::from_secs(10));
        assert_eq!(running.raised().await, 1);
        advance(Duration::from_millis(9_990)).await;
        assert_eq!(running.raised().await, 1);
        advance(Duration::from_millis(20)).await;
        assert_eq!(running.raised().await, 2);
        for expected in 3..=10 {
            advance(Duration::from_secs(10)).await;
            assert_eq!(running.raised().await, expected);
        }
        let alerts = running.store.alerts(AlertQuery::newest(1)).await.unwrap().items;
        assert_eq!(alerts[0].value.message.as_str(), "Intruder detected");
        assert_eq!(alerts[0].value.location.as_str(), "North Gate");
        assert_eq!(alerts[0].value.source.as_ref().unwrap().as_str(), "generator");
        assert_eq!(alerts[0].value.severity, Severity::Info);
        assert_eq!(alerts[0].value.expires_at, Some(Timestamp::from_unix_micros(600_000_000)));
    }

    #[tokio::test(start_paused = true)]
    async fn missed_ticks_of_the_generator_are_skipped() {
        let running = Running::start(Duration::from_secs(10));
        assert_eq!(running.raised().await, 1);
        advance(Duration::from_secs(95)).await;
        assert_eq!(running.raised().await, 2);
        advance(Duration::from_secs(5)).await;
        assert_eq!(running.raised().await, 3, "later ticks stay on the original schedule");
    }

    #[tokio::test(start_paused = true)]
    async fn the_generator_ends_when_it_is_stopped() {
        let running = Running::start(Duration::from_secs(10));
        assert_eq!(running.raised().await, 1);
        running.stop.cancel();
        running.task.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_generator_survives_a_closed_log() {
        let running = Running::start(Duration::from_secs(10));
        assert_eq!(running.raised().await, 1);
        running.log.close().await;
        advance(Duration::from_secs(30)).await;
        assert_eq!(running.raised().await, 1);
        assert!(!running.task.is_finished());
    }
}
