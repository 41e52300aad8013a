//! Resume storm: many clients resume at the same time, while one client reads live.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::rounds::rounds_without_floor;
use crate::arguments::{TargetArgs, positive};
use crate::clock::{self, Nanos};
use crate::connect::{self, Endpoint};
use crate::error::{BenchError, Result};
use crate::http::AlertRequest;
use crate::http_client::HttpClient;
use crate::latency;
use crate::limits;
use crate::marker::{MIN_TEXT, Run};
use crate::phase::{self, PhaseResult};
use crate::publishers::{self, Pace, Plan, Published};
use crate::receivers::Receivers;
use crate::report::{Round, TargetReport, Unit, Verdict};
use crate::target::Target;

#[derive(Args, Debug, Serialize)]
pub(crate) struct ResumeArgs {
    /// Number of clients that resume at the same time
    #[arg(long, default_value_t = 1000)]
    sockets: usize,
    /// Number of events that each client missed; the server must retain these events (set the
    /// server's capacity after `--`)
    #[arg(long, default_value_t = 10_000)]
    missed: u32,
    /// Alerts per second for one live reader, before and during the storm
    #[arg(long, default_value_t = 50.0, value_parser = positive)]
    rate: f64,
    /// Seconds of live reading before the storm, as the reference
    #[arg(long, default_value_t = 5)]
    control_seconds: u32,
    /// Bytes of an alert's text
    #[arg(long, default_value_t = 64)]
    message_bytes: usize,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

pub(crate) fn run(args: &ResumeArgs) -> Result<Vec<Round>> {
    limits::check(args.sockets)?;
    rounds_without_floor(&args.target, |target| measure(args, target))
}

const MISSED_PUBLISHERS: usize = 8;

fn measure(args: &ResumeArgs, target: &mut Target) -> Result<TargetReport> {
    let mut report = TargetReport::default();
    let resuming = resume_after_first(target)?;
    let run = Run::begin();
    let missed = publish_missed(args, target, &run)?;

    let live = Receivers::connect(&target.endpoint, 1, 1)?;
    let control = phase::run(target, &live, &live_plan(args))?;
    control.measure_latency(&mut report, "live before the storm:");
    report.verdicts.insert("live before the storm".to_owned(), control.verdict());

    let over = AtomicBool::new(false);
    let (storm, during) = thread::scope(|scope| {
        let reading = scope.spawn(|| live_until(args, target, &live, &over));
        let storm = storm(args, &resuming, &run, &missed);
        over.store(true, Ordering::Relaxed);
        let during = reading.join().map_err(|_| BenchError::ThreadGone)?;
        Ok::<_, BenchError>((storm?, during?))
    })?;
    during.measure_latency(&mut report, "live during the storm:");
    report.verdicts.insert("live during the storm".to_owned(), during.verdict());
    storm.measure(&mut report);
    Ok(report)
}

/// Publishes one alert without a marker, and returns an endpoint whose streams start after this
/// alert.
fn resume_after_first(target: &Target) -> Result<Endpoint> {
    let failed = |source| BenchError::Connect { at: 0, source };
    let request = AlertRequest::with_text(target.address, "first");
    let mut client = HttpClient::connect(target.address).map_err(failed)?;
    let body = client.send(&request).map_err(failed)?.body;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let position = body.get("position").and_then(Value::as_str).ok_or(BenchError::NoPosition)?;
    let path = format!("{}?after={}", target.endpoint.path, percent_encoded(position));
    Ok(Endpoint { path, ..target.endpoint.clone() })
}

/// Escapes a position for a query. Positions are opaque, so they may contain any character (RFC
/// 3986, section 2.3).
fn percent_encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn publish_missed(args: &ResumeArgs, target: &Target, run: &Run) -> Result<Published> {
    let pace = Pace::Closed { alerts: args.missed, limit: Nanos::MAX };
    let plan = Plan { publishers: MISSED_PUBLISHERS, pace, message_bytes: args.message_bytes };
    publishers::publish(target.address, run, &plan, &AtomicBool::new(false))
}

fn live_plan(args: &ResumeArgs) -> Plan {
    let alerts = (args.rate * f64::from(args.control_seconds)).ceil();
    let alerts = crate::report::whole(alerts);
    let pace =
        Pace::Rate { alerts: u32::try_from(alerts).unwrap_or(u32::MAX), per_second: args.rate };
    Plan { publishers: 1, pace, message_bytes: MIN_TEXT }
}

/// Reads live until the storm is over.
fn live_until(
    args: &ResumeArgs,
    target: &Target,
    live: &Receivers,
    over: &AtomicBool,
) -> Result<PhaseResult> {
    let pace = Pace::Rate { alerts: u32::MAX, per_second: args.rate };
    let plan = Plan { publishers: 1, pace, message_bytes: MIN_TEXT };
    phase::run_until(target, live, &plan, over)
}

struct StormResult {
    verdict: Verdict,
    opening: Nanos,
    complete: Nanos,
}

fn storm(
    args: &ResumeArgs,
    resuming: &Endpoint,
    run: &Run,
    missed: &Published,
) -> Result<StormResult> {
    let started = clock::now();
    let opened = connect::open(resuming, args.sockets)?;
    let opening = clock::now() - started;
    let receivers = Receivers::adopt(opened, args.target.readers, run, MISSED_PUBLISHERS)?;
    let expected = missed.total() * args.sockets as u64;
    receivers.settle(expected);
    let (stats, endings) = receivers.conclude(&missed.answered)?;
    let mut verdict = Verdict::new(expected, &stats, &endings);
    verdict.failures.extend_from_slice(&missed.failures);
    // Foreign frames are expected here: `resume` and `live` frames, and the alerts of the live
    // reader.
    verdict.foreign = 0;
    Ok(StormResult { verdict, opening, complete: stats.last_at.saturating_sub(started) })
}

impl StormResult {
    fn measure(self, report: &mut TargetReport) {
        let complete = latency::seconds(self.complete);
        report.measure("storm: all connected", Unit::Seconds, latency::seconds(self.opening));
        report.measure("storm: all complete", Unit::Seconds, complete);
        let rate = phase::per_second(self.verdict.delivered, complete);
        report.measure("storm: events", Unit::PerSecond, rate);
        report.verdicts.insert("storm".to_owned(), self.verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_percent_encoded_for_the_query() {
        assert_eq!(percent_encoded("a1-b_2.c~"), "a1-b_2.c~");
        assert_eq!(percent_encoded("7:+/=&é"), "7%3A%2B%2F%3D%26%C3%A9");
    }
}
