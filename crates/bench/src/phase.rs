//! One measured phase: publishers send, receivers check, and the server is sampled before and
//! after.

use std::process;
use std::sync::atomic::AtomicBool;

use crate::clock::Nanos;
use crate::error::{BenchError, Result};
use crate::frames;
use crate::latency;
use crate::marker::{self, Run};
use crate::publishers::{self, Pace, Plan, Published};
use crate::receivers::{DeliveryStats, Endings, Receivers};
use crate::report::{TargetReport, Unit, Verdict};
use crate::sampling;
use crate::target::Target;

pub(crate) struct PhaseResult {
    pub(crate) published: Published,
    pub(crate) stats: DeliveryStats,
    pub(crate) endings: Endings,
    sockets: u64,
    /// Microseconds; `None` if the id of the server's process is not known.
    server_cpu: Option<u64>,
    client_cpu: u64,
}

/// Publishes the plan, waits until all alerts have arrived, and returns the results.
pub(crate) fn run(target: &Target, receivers: &Receivers, plan: &Plan) -> Result<PhaseResult> {
    run_until(target, receivers, plan, &AtomicBool::new(false))
}

/// Like [`run`], but a paced plan ends early when `over` is set.
pub(crate) fn run_until(
    target: &Target,
    receivers: &Receivers,
    plan: &Plan,
    over: &AtomicBool,
) -> Result<PhaseResult> {
    let run = Run::begin();
    receivers.record(&run, plan.publishers)?;
    let server_before = target.cpu_micros()?;
    let client_before = sampling::cpu_micros(process::id())?;
    let published = publishers::publish(target.address, &run, plan, over)?;
    let sockets = receivers.sockets() as u64;
    receivers.settle(published.total() * sockets);
    let server_after = target.cpu_micros()?;
    let client_after = sampling::cpu_micros(process::id())?;
    let (stats, endings) = receivers.conclude(&published.answered)?;
    let spent = server_before.zip(server_after);
    Ok(PhaseResult {
        published,
        stats,
        endings,
        sockets,
        server_cpu: spent.map(|(before, after)| after.saturating_sub(before)),
        client_cpu: client_after.saturating_sub(client_before),
    })
}

/// Sends one alert, and returns the text length with which a frame has `frame_bytes` bytes.
pub(crate) fn calibrate(
    target: &Target,
    receivers: &Receivers,
    frame_bytes: usize,
) -> Result<usize> {
    let plan = Plan {
        publishers: 1,
        pace: Pace::Closed { alerts: 1, limit: Nanos::MAX },
        message_bytes: marker::MIN_TEXT,
    };
    let result = run(target, receivers, &plan)?;
    let real = result
        .frame_bytes()
        .ok_or_else(|| BenchError::NoDelivery(result.why_nothing_arrived(target)))?;
    let around = frames::payload_len(real).saturating_sub(plan.message_bytes);
    let text = frames::payload_len(frame_bytes).saturating_sub(around);
    Ok(text.max(marker::MIN_TEXT))
}

impl PhaseResult {
    pub(crate) fn verdict(&self) -> Verdict {
        let expected = self.published.total() * self.sockets;
        let mut verdict = Verdict::new(expected, &self.stats, &self.endings);
        verdict.failures.clone_from(&self.published.failures);
        verdict
    }

    /// Returns the mean size of a frame in bytes with its header, rounded.
    pub(crate) fn frame_bytes(&self) -> Option<usize> {
        let DeliveryStats { wire_bytes, delivered, .. } = self.stats;
        let mean = (wire_bytes + delivered / 2).checked_div(delivered)?;
        usize::try_from(mean).ok()
    }

    /// Returns the time from the first alert to the last delivery or answer.
    pub(crate) fn span(&self) -> Nanos {
        let last = self.stats.last_at.max(self.published.finished);
        last.saturating_sub(self.published.started)
    }

    pub(crate) fn deliveries_per_second(&self) -> Option<f64> {
        (self.stats.delivered > 0)
            .then(|| per_second(self.stats.delivered, latency::seconds(self.span())))
    }

    pub(crate) fn posts_per_second(&self) -> f64 {
        per_second(self.published.total(), latency::seconds(self.published.span()))
    }

    /// Returns the microseconds of processor time per item; `None` if `count` is 0.
    fn cpu_per(cpu: impl Into<Option<u64>>, count: u64) -> Option<f64> {
        let cpu = cpu.into()?;
        (count > 0).then(|| ratio(cpu, count))
    }

    /// Adds the processor time per delivery of server and client. If the client's value is large,
    /// the client and not the server may limit the result.
    pub(crate) fn measure_cpu(&self, report: &mut TargetReport) {
        let delivered = self.stats.delivered;
        let server = Self::cpu_per(self.server_cpu, delivered);
        report.measure("server CPU per delivery", Unit::Micros, server);
        let client = Self::cpu_per(self.client_cpu, delivered);
        report.measure("client CPU per delivery", Unit::Micros, client);
    }

    /// Adds the figures of the delivery latency, with names that begin with `prefix`.
    pub(crate) fn measure_latency(&self, report: &mut TargetReport, prefix: &str) {
        let latency = &self.stats.latency;
        report.measure_percentiles(prefix, latency, &[50, 90, 99]);
        report.measure(format!("{prefix} max"), Unit::Millis, latency.max_ms());
    }

    /// Adds the figures and the verdict of publishing at full speed, with names that begin with
    /// `case`.
    pub(crate) fn measure_posts(&self, report: &mut TargetReport, case: &str) {
        report.measure(format!("{case}: POST"), Unit::PerSecond, self.posts_per_second());
        report.measure_percentiles(&format!("{case}:"), &self.published.latency, &[50, 99]);
        let cpu = Self::cpu_per(self.server_cpu, self.published.total());
        report.measure(format!("{case}: server CPU per POST"), Unit::Micros, cpu);
        report.verdicts.insert(case.to_owned(), self.verdict());
    }

    /// Adds the actual frame size, for the table and for the floor.
    pub(crate) fn measure_frame(&self, report: &mut TargetReport) {
        report.frame_bytes = self.frame_bytes();
        let shown = report.frame_bytes.map(|size| ratio(size as u64, 1));
        report.measure("frame", Unit::Bytes, shown);
    }

    fn why_nothing_arrived(&self, target: &Target) -> String {
        let log = target.last_lines();
        let failures = self.published.failures.join("; ");
        let foreign = self.stats.foreign;
        format!("{failures}{foreign} other frames arrived{log}")
    }
}

/// Returns `over` divided by `under`.
#[expect(clippy::cast_precision_loss, reason = "counts and microseconds are far below 2^53")]
pub(crate) fn ratio(over: u64, under: u64) -> f64 {
    over as f64 / under as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(crate) fn per_second(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds.max(1e-9)
}
