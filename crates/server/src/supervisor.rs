//! Supervision of the required components: if one ends unexpectedly, the server stops.

use std::any::Any;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Upper bound of characters of a panic's message in the reason of a failure.
const MAX_REASON_CHARS: usize = 300;

/// A component of the server ended although no stop was requested.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a component of the server failed: {part}: {reason}")]
pub struct PartFailure {
    /// Name of the component.
    pub part: &'static str,
    /// Reason why the component ended.
    pub reason: String,
}

/// Owns the tasks of all components and reports the first failure. Clones are handles to the same
/// supervisor.
#[derive(Clone, Default)]
pub(crate) struct Supervisor {
    tasks: TaskTracker,
    first_failure: Arc<OnceLock<PartFailure>>,
    failed: CancellationToken,
}

impl Supervisor {
    /// Runs `task` on the tracker. The task must end when `stop` is cancelled, and not before.
    pub(crate) fn spawn(
        &self,
        part: &'static str,
        stop: CancellationToken,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.spawn_with_reason(part, stop, async {
            task.await;
            "it ended unexpectedly".to_owned()
        });
    }

    /// Runs `task` like [`Supervisor::spawn`]. The task returns the reason of its end.
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
                // Tasks are cancelled only when the runtime shuts down.
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

    /// Watches a component that runs elsewhere, until `stop` is cancelled. The component has failed
    /// when `failure` returns a reason.
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

    /// Returns a token that is cancelled at the first failure.
    pub(crate) fn failed(&self) -> &CancellationToken {
        &self.failed
    }

    /// Returns the first failure, if there was one.
    pub(crate) fn failure(&self) -> Option<PartFailure> {
        self.first_failure.get().cloned()
    }

    /// Waits until all components have ended.
    pub(crate) async fn all_ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn fail(&self, part: &'static str, reason: String) {
        tracing::error!(part, reason, "a component of the server failed; the server stops");
        // An error means that another component failed before.
        let _ = self.first_failure.set(PartFailure { part, reason });
        self.failed.cancel();
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("(the panic has no text)").chars().take(MAX_REASON_CHARS).collect()
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
    async fn a_panic_is_a_failure_with_its_message() {
        let long = "x".repeat(1_000);
        let failed = failure_of(|supervisor, stop| {
            supervisor.spawn("pump", stop, async move { panic!("{long}") });
        });
        let reason = format!("it panicked: {}", "x".repeat(300));
        assert_eq!(failed.await, failure("pump", &reason));
    }

    #[tokio::test]
    async fn a_return_before_the_stop_is_a_failure() {
        let failed = failure_of(|supervisor, stop| supervisor.spawn("timer", stop, async {}));
        assert_eq!(failed.await, failure("timer", "it ended unexpectedly"));
    }

    #[tokio::test]
    async fn a_watched_component_fails_when_it_returns_a_reason() {
        let failed = failure_of(|supervisor, stop| {
            supervisor.watch("store", stop, async { "its writer panicked".to_owned() });
        });
        assert_eq!(failed.await, failure("store", "its writer panicked"));
    }

    #[tokio::test]
    async fn an_end_after_the_stop_is_no_failure() {
        let (supervisor, stop) = (Supervisor::default(), CancellationToken::new());
        supervisor.spawn("pump", stop.clone(), stop.clone().cancelled_owned());
        supervisor.watch("store", stop.clone(), std::future::pending());
        stop.cancel();
        supervisor.all_ended().await;
        assert_eq!(supervisor.failure(), None);
        assert!(!supervisor.failed().is_cancelled());
    }
}
