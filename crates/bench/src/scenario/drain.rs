//! Drain: SIGTERM under load. Every answered alert arrives, then Close 1001, then the server exits.

use std::process::ExitStatus;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::rounds::rounds_without_floor;
use crate::arguments::{TargetArgs, positive};
use crate::clock::{self, Nanos};
use crate::connect;
use crate::error::{BenchError, Result};
use crate::latency;
use crate::limits;
use crate::marker::Run;
use crate::phase;
use crate::publishers::{self, Pace, Plan};
use crate::receivers::{Ending, Endings, Receivers};
use crate::report::{Round, TargetReport, Unit, Verdict};
use crate::sampling;
use crate::target::Target;

/// The close code of a server that stops (RFC 6455, section 7.4.1).
const GOING_AWAY: Ending = Ending::Closed(1001);
/// Promised upper bound of the time to the server's exit, even if clients do not read.
const EXIT_PROMISE: Duration = Duration::from_secs(10);

#[derive(Args, Debug, Serialize)]
pub(crate) struct DrainArgs {
    /// Number of sockets that read
    #[arg(long, default_value_t = 5000)]
    sockets: usize,
    /// Alerts per second, of all publishers together
    #[arg(long, default_value_t = 20.0, value_parser = positive)]
    rate: f64,
    /// Seconds of alerts before SIGTERM
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// Number of connections that publish, in turn
    #[arg(long, default_value_t = 4)]
    publishers: usize,
    /// Number of 1,000-byte alerts that fill the buffers of one extra socket that never reads; 0
    /// for none
    #[arg(long, default_value_t = 2000)]
    stuffing: u32,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

pub(crate) fn run(args: &DrainArgs) -> Result<Vec<Round>> {
    if args.target.url.is_some() {
        return Err(BenchError::OwnServerOnly("drain"));
    }
    limits::check(args.sockets + args.publishers)?;
    rounds_without_floor(&args.target, |target| measure(args, target))
}

fn measure(args: &DrainArgs, target: &mut Target) -> Result<TargetReport> {
    let mut report = TargetReport::default();
    let stuffed = connect::open_silent(&target.endpoint)?;
    stuff(args, target)?;
    let receivers = Receivers::connect(&target.endpoint, args.sockets, args.target.readers)?;

    let run = Run::begin();
    receivers.record(&run, args.publishers)?;
    let plan = Plan {
        publishers: args.publishers,
        // No limit: the publishers stop when the server no longer answers.
        pace: Pace::Rate { alerts: u32::MAX, per_second: args.rate },
        message_bytes: 100,
    };
    let address = target.address;
    let publishing =
        thread::spawn(move || publishers::publish(address, &run, &plan, &AtomicBool::new(false)));
    thread::sleep(Duration::from_secs(args.seconds.into()));
    if args.stuffing > 0 {
        let port = stuffed.local_addr()?.port();
        let is_open = sampling::is_connected(target.required_pid()?, address.port(), port)?;
        let still = if is_open { "still open" } else { "already closed" };
        report.notes.push(format!("at SIGTERM the socket that never reads was {still}"));
    }
    let signalled = clock::now();
    target.terminate();
    let exit = target.wait();
    let exited = clock::now();
    receivers.settle_endings();
    let published = publishing.join().map_err(|_| BenchError::ThreadGone)??;
    let (stats, endings) = receivers.conclude(&published.answered)?;

    let spans = [
        ("time to exit", exited),
        ("signal to the last socket's end", endings.last_at),
        ("signal to the last delivery", stats.last_at),
    ];
    for (name, at) in spans {
        let span = latency::seconds(at.saturating_sub(signalled));
        report.measure(name, Unit::Seconds, span);
    }
    judge_exit(&mut report, exit, exited - signalled);
    judge_endings(&mut report, &endings, args.sockets as u64);
    // An alert that was stored but not answered may also arrive, so there may be more deliveries
    // than expected. The verdict ignores the ends of the sockets, because here every socket must
    // end. `judge_endings` checks the ends.
    let expected = published.total() * args.sockets as u64;
    let verdict = Verdict::new(expected, &stats, &Endings::default());
    report.verdicts.insert("drain".to_owned(), verdict);
    let answered = phase::ratio(published.total(), 1);
    report.measure("answered alerts", Unit::Count, answered);
    report.notes.extend(published.failures.first().cloned());
    Ok(report)
}

/// Publishes alerts that fill the buffers of the silent socket, before the other sockets connect.
fn stuff(args: &DrainArgs, target: &Target) -> Result<()> {
    let pace = Pace::Closed { alerts: args.stuffing, limit: Nanos::MAX };
    let plan = Plan { publishers: 4, pace, message_bytes: 1000 };
    publishers::publish(target.address, &Run::begin(), &plan, &AtomicBool::new(false)).map(drop)
}

fn judge_exit(report: &mut TargetReport, status: Result<Option<ExitStatus>>, span: Nanos) {
    match status {
        Ok(Some(status)) if status.success() => report.notes.push("exit code 0".to_owned()),
        Ok(Some(status)) => report.broken.push(format!("the server ended with {status}")),
        Ok(None) => {}
        Err(error) => report.broken.push(error.in_full()),
    }
    if span > clock::nanos(EXIT_PROMISE) {
        let limit = EXIT_PROMISE.as_secs();
        report.broken.push(format!("the server's exit took longer than {limit} s"));
    }
}

fn judge_endings(report: &mut TargetReport, endings: &Endings, sockets: u64) {
    for (ending, count) in &endings.counts {
        let line = format!("{count} sockets {ending}");
        if *ending == GOING_AWAY {
            report.notes.push(line);
        } else {
            report.broken.push(line);
        }
    }
    let open = sockets.saturating_sub(endings.total());
    if open > 0 {
        report.broken.push(format!("{open} sockets did not end"));
    }
}
