//! Resume storm: many clients that come back at once and ask for everything they missed, while one reads live.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::fanout::positive;
use super::rounds_without_floor;
use crate::cli::TargetArgs;
use crate::clock::{self, Nanos};
use crate::connect::{self, Feed};
use crate::error::BenchError;
use crate::latency;
use crate::limits;
use crate::marker::{MIN_TEXT, Run};
use crate::phase::{self, Outcome};
use crate::publishers::{self, Pace, Plan, Published};
use crate::receivers::Fleet;
use crate::report::{Round, Sheet, Unit, Verdict};
use crate::target::Target;

#[derive(Args, Debug, Serialize)]
pub(crate) struct ResumeArgs {
    /// Clients that resume at once
    #[arg(long, default_value_t = 1000)]
    sockets: usize,
    /// Events that each of them missed; give the server room to hold them (after `--`)
    #[arg(long, default_value_t = 10_000)]
    missed: u32,
    /// Alerts a second that one live reader sees, before the storm and during it
    #[arg(long, default_value_t = 50.0, value_parser = positive)]
    rate: f64,
    /// Seconds of live reading before the storm, for comparison
    #[arg(long, default_value_t = 5)]
    control_seconds: u32,
    /// Length of an alert's text
    #[arg(long, default_value_t = 64)]
    message_bytes: usize,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

pub(crate) fn run(args: &ResumeArgs) -> Result<Vec<Round>, BenchError> {
    limits::check(args.sockets)?;
    rounds_without_floor(&args.target, |target| measure(args, target))
}

const PUBLISHERS: usize = 8;

fn measure(args: &ResumeArgs, target: &mut Target) -> Result<Sheet, BenchError> {
    let mut sheet = Sheet::default();
    let resuming = resume_after(target, &publishers::first_answer(target.address)?)?;
    let run = Run::begin();
    let missed = publish_missed(args, target, &run)?;

    let live = Fleet::connect(&target.feed, 1, 1)?;
    let control = phase::run(target, &live, &live_plan(args))?;
    control.measure_latency(&mut sheet, "live before the storm:");
    sheet.verdicts.insert("live before the storm".to_owned(), control.verdict());

    let over = AtomicBool::new(false);
    let (storm, during) = thread::scope(|scope| {
        let reading = scope.spawn(|| live_until(args, target, &live, &over));
        let storm = storm(args, &resuming, &run, &missed);
        over.store(true, Ordering::Relaxed);
        let during = reading.join().map_err(|_| BenchError::ThreadGone)?;
        Ok::<_, BenchError>((storm?, during?))
    })?;
    during.measure_latency(&mut sheet, "live during the storm:");
    sheet.verdicts.insert("live during the storm".to_owned(), during.verdict());
    storm.tell(&mut sheet);
    Ok(sheet)
}

/// The feed that goes on after the alert with this answer.
fn resume_after(target: &Target, answer: &[u8]) -> Result<Feed, BenchError> {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let position = answer.get("position").and_then(Value::as_str).ok_or(BenchError::NoPosition)?;
    let path = format!("{}?after={}", target.feed.path, percent_encoded(position));
    Ok(Feed { path, ..target.feed.clone() })
}

/// Positions are opaque, so nothing is taken for granted about their characters (RFC 3986, section 2.3).
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

fn publish_missed(args: &ResumeArgs, target: &Target, run: &Run) -> Result<Published, BenchError> {
    let pace = Pace::Closed { alerts: args.missed, limit: Nanos::MAX };
    let plan = Plan { publishers: PUBLISHERS, pace, message_bytes: args.message_bytes };
    publishers::publish(target.address, run, &plan)
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
    live: &Fleet,
    over: &AtomicBool,
) -> Result<Outcome, BenchError> {
    let pace = Pace::Rate { alerts: u32::MAX, per_second: args.rate };
    let plan = Plan { publishers: 1, pace, message_bytes: MIN_TEXT };
    phase::run_until(target, live, &plan, over)
}

/// What the storm brought.
struct Storm {
    verdict: Verdict,
    opening: Nanos,
    complete: Nanos,
}

fn storm(
    args: &ResumeArgs,
    resuming: &Feed,
    run: &Run,
    missed: &Published,
) -> Result<Storm, BenchError> {
    let started = clock::now();
    let opened = connect::open(resuming, args.sockets)?;
    let opening = clock::now() - started;
    let fleet = Fleet::adopt(opened, args.target.readers.into(), run, PUBLISHERS)?;
    let expected = missed.total() * args.sockets as u64;
    fleet.settle(expected);
    let (tally, endings) = fleet.conclude(&missed.answered)?;
    let mut verdict = Verdict::new(expected, &tally, &endings);
    verdict.failures.extend_from_slice(&missed.failures);
    // The `resume` and `live` frames, and the alerts of the live reader.
    verdict.foreign = 0;
    Ok(Storm { verdict, opening, complete: tally.last_at.saturating_sub(started) })
}

impl Storm {
    fn tell(self, sheet: &mut Sheet) {
        let complete = latency::seconds(self.complete);
        sheet.measure("storm: all connected", Unit::Seconds, latency::seconds(self.opening));
        sheet.measure("storm: all complete", Unit::Seconds, complete);
        let rate = phase::per(self.verdict.delivered, complete);
        sheet.measure("storm: events", Unit::PerSecond, rate);
        sheet.verdicts.insert("storm".to_owned(), self.verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_of_any_shape_survives_the_query() {
        assert_eq!(percent_encoded("a1-b_2.c~"), "a1-b_2.c~");
        assert_eq!(percent_encoded("7:+/=&é"), "7%3A%2B%2F%3D%26%C3%A9");
    }
}
