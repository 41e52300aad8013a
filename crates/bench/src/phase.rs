//! One measured phase: publishers against receivers, with the server sampled before and after.

use std::process;
use std::sync::atomic::AtomicBool;

use crate::clock::Nanos;
use crate::error::BenchError;
use crate::frames;
use crate::latency;
use crate::marker::{self, Run};
use crate::publishers::{self, Pace, Plan, Published};
use crate::receivers::{Endings, Fleet, Tally};
use crate::report::{Sheet, Unit, Verdict};
use crate::sampling;
use crate::target::Target;

/// What a phase brought.
pub(crate) struct Outcome {
    pub(crate) published: Published,
    pub(crate) tally: Tally,
    pub(crate) endings: Endings,
    sockets: u64,
    /// `None` when the server's process is not known.
    server_cpu: Option<u64>,
    client_cpu: u64,
}

/// Publishes the plan, waits until all has arrived, and judges.
pub(crate) fn run(target: &Target, fleet: &Fleet, plan: &Plan) -> Result<Outcome, BenchError> {
    run_until(target, fleet, plan, &AtomicBool::new(false))
}

/// The same, but a paced plan ends early once `over` is set.
pub(crate) fn run_until(
    target: &Target,
    fleet: &Fleet,
    plan: &Plan,
    over: &AtomicBool,
) -> Result<Outcome, BenchError> {
    let run = Run::begin();
    fleet.watch(&run, plan.publishers)?;
    let server_before = target.cpu_micros()?;
    let client_before = sampling::cpu_micros(process::id())?;
    let published = publishers::publish_until(target.address, &run, plan, over)?;
    let sockets = fleet.sockets() as u64;
    fleet.settle(published.total() * sockets);
    let server_after = target.cpu_micros()?;
    let client_after = sampling::cpu_micros(process::id())?;
    let (tally, endings) = fleet.conclude(&published.answered)?;
    let spent = server_before.zip(server_after);
    Ok(Outcome {
        published,
        tally,
        endings,
        sockets,
        server_cpu: spent.map(|(before, after)| after.saturating_sub(before)),
        client_cpu: client_after.saturating_sub(client_before),
    })
}

/// The text length that makes frames `frame_bytes` long, found by sending one alert.
pub(crate) fn calibrate(
    target: &Target,
    fleet: &Fleet,
    frame_bytes: usize,
) -> Result<usize, BenchError> {
    let plan = Plan {
        publishers: 1,
        pace: Pace::Closed { alerts: 1, limit: Nanos::MAX },
        message_bytes: marker::MIN_TEXT,
    };
    let outcome = run(target, fleet, &plan)?;
    let real = outcome
        .frame_bytes()
        .ok_or_else(|| BenchError::NoDelivery(outcome.why_nothing_came(target)))?;
    let around = frames::payload_len(real).saturating_sub(plan.message_bytes);
    let text = frames::payload_len(frame_bytes).saturating_sub(around);
    Ok(text.max(marker::MIN_TEXT))
}

impl Outcome {
    pub(crate) fn verdict(&self) -> Verdict {
        let expected = self.published.total() * self.sockets;
        let mut verdict = Verdict::new(expected, &self.tally, &self.endings);
        verdict.failures.clone_from(&self.published.failures);
        verdict
    }

    /// The mean size of a frame with its header, rounded.
    pub(crate) fn frame_bytes(&self) -> Option<usize> {
        let Tally { wire_bytes, delivered, .. } = self.tally;
        let mean = (wire_bytes + delivered / 2).checked_div(delivered)?;
        usize::try_from(mean).ok()
    }

    /// From the first alert to the last delivery or answer.
    pub(crate) fn span(&self) -> Nanos {
        let last = self.tally.last_at.max(self.published.finished);
        last.saturating_sub(self.published.started)
    }

    pub(crate) fn deliveries_per_second(&self) -> Option<f64> {
        (self.tally.delivered > 0).then(|| per(self.tally.delivered, latency::seconds(self.span())))
    }

    pub(crate) fn posts_per_second(&self) -> f64 {
        per(self.published.total(), latency::seconds(self.published.span()))
    }

    /// The server's processor time over the deliveries, in microseconds.
    pub(crate) fn cpu_per_delivery(&self) -> Option<f64> {
        let delivered = self.tally.delivered;
        let cpu = self.server_cpu?;
        (delivered > 0).then(|| ratio(cpu, delivered))
    }

    /// The server's processor time over the alerts, in microseconds.
    pub(crate) fn cpu_per_post(&self) -> Option<f64> {
        let answered = self.published.total();
        let cpu = self.server_cpu?;
        (answered > 0).then(|| ratio(cpu, answered))
    }

    /// The client's own processor time over the deliveries: the larger, the more it is the client that is measured.
    pub(crate) fn client_cpu_per_delivery(&self) -> Option<f64> {
        let delivered = self.tally.delivered;
        (delivered > 0).then(|| ratio(self.client_cpu, delivered))
    }

    /// The figures of a delivery's latency, each name after `prefix`.
    pub(crate) fn measure_latency(&self, sheet: &mut Sheet, prefix: &str) {
        let latency = &self.tally.latency;
        for (name, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
            sheet.measure(format!("{prefix} {name}"), Unit::Millis, latency.quantile_ms(quantile));
        }
        sheet.measure(format!("{prefix} max"), Unit::Millis, latency.max_ms());
    }

    fn why_nothing_came(&self, target: &Target) -> String {
        let log = target.last_lines();
        let failures = self.published.failures.join("; ");
        let foreign = self.tally.foreign;
        format!("{failures}{foreign} other frames came{log}")
    }
}

/// So many over so many.
#[expect(clippy::cast_precision_loss, reason = "counts and microseconds are far below 2^53")]
pub(crate) fn ratio(over: u64, under: u64) -> f64 {
    over as f64 / under as f64
}

/// So many in so many seconds.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(crate) fn per(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds.max(1e-9)
}
