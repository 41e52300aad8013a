//! Runs several jobs at the same time, each on its own thread.

use std::thread;

use crate::error::{BenchError, Result};

/// Runs all jobs at the same time and returns their results in order.
pub(crate) fn run<T, Job>(jobs: impl Iterator<Item = Job>) -> Result<Vec<T>>
where
    T: Send,
    Job: FnOnce() -> Result<T> + Send,
{
    thread::scope(|scope| {
        let threads: Vec<_> = jobs.map(|job| scope.spawn(job)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| BenchError::ThreadGone)?)
            .collect()
    })
}
