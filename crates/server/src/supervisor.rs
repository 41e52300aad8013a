//! The parts that the server cannot do without: the unexpected end of one ends the server.

use std::any::Any;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The most characters of a panic's message that are repeated as the reason.
const MAX_REASON_CHARS: usize = 300;

/// A part of the server that has ended although nobody stopped it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a part of the server has failed: {part}: {reason}")]
pub struct PartFailure {
    /// The name of the part.
    pub part: &'static str,
    /// Why it ended.
    pub reason: String,
}

/// Owns the tasks of all parts, and reports the first one that fails. Clones are handles to the
/// same one.
#[derive(Clone, Default)]
pub(crate) struct Supervisor {
    tasks: TaskTracker,
    first_failure: Arc<OnceLock<PartFailure>>,
    failed: CancellationToken,
}

impl Supervisor {
    /// Runs `task` until it ends. It must do so when `stop` is cancelled, and not before.
    pub(crate) fn spawn(
        &self,
        part: &'static str,
        stop: CancellationToken,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.spawn_with_reason(part, stop, async {
            task.await;
            "it ended by itself".to_owned()
        });
    }

    /// As [`Supervisor::spawn`], of a task that says why it ended.
    pub(crate) fn spawn_with_reason(
        &self,
        part: &'static str,
        stop: CancellationToken,
        task: impl Future<Output = String> + Send + 'static,
    ) {
        let running = self.tasks.spawn(task);
        let supervisor = self.clone();
        self.tasks.spawn(async move {
            let reason = match running.await {
                Ok(reason) => reason,
                // The runtime ends, and everything with it.
                Err(error) if error.is_cancelled() => return,
                Err(error) => {
                    format!("it panicked: {}", panic_message(error.into_panic().as_ref()))
                }
            };
            if !stop.is_cancelled() {
                supervisor.fail(part, reason);
            }
        });
    }

    /// Watches a part that runs elsewhere until `stop` is cancelled: it has failed once `failure`
    /// gives a reason.
    pub(crate) fn watch(
        &self,
        part: &'static str,
        stop: CancellationToken,
        failure: impl Future<Output = String> + Send + 'static,
    ) {
        let until = stop.clone();
        self.spawn_with_reason(part, stop, async move {
            until.run_until_cancelled(failure).await.unwrap_or_default()
        });
    }

    /// Cancelled at the first failure.
    pub(crate) fn failed(&self) -> &CancellationToken {
        &self.failed
    }

    /// The first failure, if there was one.
    pub(crate) fn failure(&self) -> Option<PartFailure> {
        self.first_failure.get().cloned()
    }

    /// Waits until every part has ended.
    pub(crate) async fn all_ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn fail(&self, part: &'static str, reason: String) {
        tracing::error!(part, reason, "a part of the server has failed; the server stops");
        // An error means that another part has failed before.
        let _ = self.first_failure.set(PartFailure { part, reason });
        self.failed.cancel();
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a value that is not text").chars().take(MAX_REASON_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn failure_of(supervise: impl FnOnce(&Supervisor, CancellationToken)) -> PartFailure {
        let (supervisor, stop) = (Supervisor::default(), CancellationToken::new());
        supervise(&supervisor, stop.clone());
        supervisor.failed().cancelled().await;
        supervisor.failure().unwrap()
    }

    fn failure(part: &'static str, reason: &str) -> PartFailure {
        PartFailure { part, reason: reason.to_owned() }
    }

    #[tokio::test]
    async fn a_part_that_panics_has_failed_with_its_message() {
        let long = "x".repeat(1_000);
        let failed = failure_of(|supervisor, stop| {
            supervisor.spawn("pump", stop, async move { panic!("{long}") });
        });
        let reason = format!("it panicked: {}", "x".repeat(300));
        assert_eq!(failed.await, failure("pump", &reason));
    }

    #[tokio::test]
    async fn a_part_that_returns_before_it_is_stopped_has_failed() {
        let failed = failure_of(|supervisor, stop| supervisor.spawn("timer", stop, async {}));
        assert_eq!(failed.await, failure("timer", "it ended by itself"));
    }

    #[tokio::test]
    async fn a_part_elsewhere_has_failed_once_it_gives_a_reason() {
        let failed = failure_of(|supervisor, stop| {
            supervisor.watch("store", stop, async { "its writer panicked".to_owned() });
        });
        assert_eq!(failed.await, failure("store", "its writer panicked"));
    }

    #[tokio::test]
    async fn a_part_that_ends_because_it_was_stopped_has_not_failed() {
        let (supervisor, stop) = (Supervisor::default(), CancellationToken::new());
        supervisor.spawn("pump", stop.clone(), stop.clone().cancelled_owned());
        supervisor.watch("store", stop.clone(), std::future::pending());
        stop.cancel();
        supervisor.all_ended().await;
        assert_eq!(supervisor.failure(), None);
        assert!(!supervisor.failed().is_cancelled());
    }
}
