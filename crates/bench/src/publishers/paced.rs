//! Paced publishers: a steady rate. Each alert contains its due time, so the delay of a late sender
//! counts as latency.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::plan::{Plan, Published};
use crate::clock::{self, Nanos};
use crate::error::{BenchError, Result};
use crate::http::AlertRequest;
use crate::http_client::HttpClient;
use crate::latency::Latency;
use crate::marker::{Marker, Run};
use crate::parallel;

/// Time to start the threads before the first alert is due.
const START_DELAY: Duration = Duration::from_millis(20);

/// The rate of the alerts, which determines their due times, and the signal to end early.
pub(super) struct Schedule<'a> {
    pub(super) alerts: u32,
    pub(super) per_second: f64,
    /// Set by the caller to end early.
    pub(super) over: &'a AtomicBool,
}

/// One publisher's share of the schedule: the alerts `publisher`, `publisher + step`, and so on.
struct PacedPublisher<'a> {
    schedule: &'a Schedule<'a>,
    publisher: u32,
    step: u32,
    start: Nanos,
}

struct PublisherResult {
    answered: u32,
    latency: Latency,
    finished: Nanos,
    failure: Option<String>,
}

pub(crate) fn publish(
    address: SocketAddr,
    run: &Run,
    plan: &Plan,
    schedule: &Schedule<'_>,
) -> Result<Published> {
    let mut published = Published::new(plan.publishers)?;
    let mut clients = Vec::new();
    for at in 0..plan.publishers {
        clients.push(
            HttpClient::connect(address).map_err(|source| BenchError::Connect { at, source })?,
        );
    }
    let start = clock::now() + clock::nanos(START_DELAY);
    published.started = start;
    let step = u32::try_from(plan.publishers).unwrap_or(u32::MAX);
    let jobs = (0..).zip(clients).map(|(publisher, client)| {
        let paced = PacedPublisher { schedule, publisher, step, start };
        let request = AlertRequest::new(address, plan.message_bytes);
        move || paced.send(client, request, run)
    });
    let results = parallel::run(jobs)?;
    for (answered, sent) in published.answered.iter_mut().zip(results) {
        *answered = sent.answered;
        published.latency.merge(&sent.latency);
        published.finished = published.finished.max(sent.finished);
        published.failures.extend(sent.failure);
    }
    Ok(published)
}

impl PacedPublisher<'_> {
    fn send(
        &self,
        mut client: HttpClient,
        mut request: AlertRequest,
        run: &Run,
    ) -> Result<PublisherResult> {
        let mut sent = PublisherResult {
            answered: 0,
            latency: Latency::new()?,
            finished: self.start,
            failure: None,
        };
        for at in (self.publisher..self.schedule.alerts).step_by(self.step.max(1) as usize) {
            let due = self.start + self.offset(at);
            clock::sleep_until(due);
            if self.schedule.over.load(Ordering::Relaxed) {
                break;
            }
            let publisher = self.publisher;
            let seq = sent.answered;
            let bytes = request.marked(run, Marker { publisher, seq, due });
            match client.send(bytes).map(|response| response.status) {
                Ok(200..=299) => {
                    sent.answered += 1;
                    sent.finished = clock::now();
                    sent.latency.record(sent.finished.saturating_sub(due));
                }
                Ok(status) => {
                    sent.failure = Some(format!("an alert was answered with {status}"));
                    break;
                }
                Err(error) => {
                    sent.failure = Some(format!("an alert was not answered: {error}"));
                    break;
                }
            }
        }
        Ok(sent)
    }

    /// Returns the time from the start to the due time of alert `at`. The offset is not computed
    /// from the previous alert, so that rounding errors do not add up.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive span far below 2^53 ns"
    )]
    fn offset(&self, at: u32) -> Nanos {
        (f64::from(at) * 1e9 / self.schedule.per_second) as Nanos
    }
}
