//! The end of a worker's task is reported, unless the hub has stopped it.

use crate::one_thread::{on_one_thread, settled};
use crate::sample::{ENCODER, memory_store};
use northgate_hub::{Hub, WindowLimits};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::LocalSet;
use tokio::time::timeout;

async fn is_reported(hub: &Hub) -> bool {
    timeout(Duration::from_secs(1), hub.worker_failed()).await.is_ok()
}

#[test]
fn a_workers_task_that_ends_with_its_thread_is_reported() {
    on_one_thread(async {
        let (hub, _pump) = Hub::new(Arc::new(memory_store(10)), WindowLimits::default(), ENCODER);
        let thread = LocalSet::new();
        thread.run_until(async { hub.worker() }).await;
        assert!(!is_reported(&hub).await, "the task still runs");
        drop(thread);
        assert!(is_reported(&hub).await);
        assert!(is_reported(&hub.clone()).await, "a later caller receives the report too");
    });
}

#[test]
fn a_workers_task_that_the_hub_stopped_is_not_reported() {
    on_one_thread(async {
        let (hub, _pump) = Hub::new(Arc::new(memory_store(10)), WindowLimits::default(), ENCODER);
        let _worker = hub.worker();
        settled().await;
        hub.stop_workers().await;
        assert!(!is_reported(&hub).await);
    });
}
