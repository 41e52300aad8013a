//! A stalled reader: one socket that never reads, among many that read.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::rounds::rounds_without_floor;
use crate::arguments::TargetArgs;
use crate::clock::{self, Nanos};
use crate::connect;
use crate::error::Result;
use crate::latency;
use crate::limits;
use crate::phase;
use crate::publishers::{Pace, Plan};
use crate::receivers::Receivers;
use crate::report::{Round, TargetReport, Unit};
use crate::sampling::{self, Sampler};
use crate::target::Target;

const SAMPLE_INTERVAL: Duration = Duration::from_millis(100);
/// Time after the last alert within which the server must disconnect the stalled socket.
const CUT_LIMIT: Duration = Duration::from_mins(1);
const READ_LIMIT: Duration = Duration::from_secs(2);

#[derive(Args, Debug, Serialize)]
pub(crate) struct StallArgs {
    /// Number of sockets that read
    #[arg(long, default_value_t = 500)]
    sockets: usize,
    /// Number of alerts while one socket does not read
    #[arg(long, default_value_t = 20_000)]
    alerts: u32,
    /// Seconds in which --alerts are sent
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Seconds of an earlier phase at the same rate, in which all sockets read
    #[arg(long, default_value_t = 20)]
    control_seconds: u32,
    /// Bytes of an alert's text
    #[arg(long, default_value_t = 1000)]
    message_bytes: usize,
    /// Number of connections that publish, in turn
    #[arg(long, default_value_t = 4)]
    publishers: usize,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

pub(crate) fn run(args: &StallArgs) -> Result<Vec<Round>> {
    limits::check(args.sockets + args.publishers)?;
    rounds_without_floor(&args.target, |target| measure(args, target))
}

/// Samples of the server's process during the phase.
#[derive(Default)]
struct ServerSamples {
    peak_kib: u64,
    cut_at: Option<Nanos>,
}

fn measure(args: &StallArgs, target: &mut Target) -> Result<TargetReport> {
    let pid = target.required_pid()?;
    let receivers = Receivers::connect(&target.endpoint, args.sockets, args.target.readers)?;
    let per_second = f64::from(args.alerts) / f64::from(args.seconds);
    let plan = |alerts| Plan {
        publishers: args.publishers,
        pace: Pace::Rate { alerts, per_second },
        message_bytes: args.message_bytes,
    };
    let mut report = TargetReport::default();
    let share = u64::from(args.alerts) * u64::from(args.control_seconds) / u64::from(args.seconds);
    let control = plan(u32::try_from(share).unwrap_or(u32::MAX));
    let control = phase::run(target, &receivers, &control)?;
    control.measure_latency(&mut report, "all read: delivery");
    report.verdicts.insert("all read".to_owned(), control.verdict());

    let before = sampling::memory(pid)?.rss_kib;
    let stalled = connect::open_silent(&target.endpoint)?;
    let started = clock::now();
    let observer = sample_server(pid, target.address.port(), &stalled)?;
    let result = phase::run(target, &receivers, &plan(args.alerts))?;
    result.measure_latency(&mut report, "one stalled: delivery");
    report.verdicts.insert("one stalled".to_owned(), result.verdict());
    let samples = observer.finish()?;
    let cut_at = match samples.cut_at {
        Some(at) => Some(at),
        None => await_cut(pid, target.address.port(), &stalled)?,
    };
    let after = sampling::memory(pid)?.rss_kib;

    for (name, kib) in [("before", before), ("peak", samples.peak_kib), ("after", after)] {
        report.measure(format!("server RSS {name}"), Unit::KiB, phase::ratio(kib, 1));
    }
    let cut_after = cut_at.map(|at| latency::seconds(at.saturating_sub(started)));
    report.measure("stalled socket disconnected after", Unit::Seconds, cut_after);
    if cut_at.is_none() {
        let limit = CUT_LIMIT.as_secs();
        report.broken.push(format!(
            "the server did not disconnect the stalled socket within {limit} s of the last alert"
        ));
    }
    report.notes.push(read_to_the_end(&stalled));
    Ok(report)
}

fn sample_server(pid: u32, port: u16, stalled: &TcpStream) -> Result<Sampler<ServerSamples>> {
    let client_port = stalled.local_addr()?.port();
    Ok(Sampler::start(SAMPLE_INTERVAL, ServerSamples::default(), move |samples| {
        // Errors are ignored: if the server has ended and cannot be sampled, the phase reports
        // that.
        if let Ok(memory) = sampling::memory(pid) {
            samples.peak_kib = samples.peak_kib.max(memory.rss_kib);
        }
        if samples.cut_at.is_none()
            && let Ok(false) = sampling::is_connected(pid, port, client_port)
        {
            samples.cut_at = Some(clock::now());
        }
    }))
}

fn await_cut(pid: u32, port: u16, stalled: &TcpStream) -> Result<Option<Nanos>> {
    let client_port = stalled.local_addr()?.port();
    let until = clock::now() + clock::nanos(CUT_LIMIT);
    while clock::now() < until {
        if !sampling::is_connected(pid, port, client_port)? {
            return Ok(Some(clock::now()));
        }
        thread::sleep(SAMPLE_INTERVAL);
    }
    Ok(None)
}

/// Reads the remaining bytes of the stalled socket. Returns a note with the number of these bytes
/// and how the socket ended.
fn read_to_the_end(mut stalled: &TcpStream) -> String {
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0;
    let end = loop {
        match stalled.set_read_timeout(Some(READ_LIMIT)).and_then(|()| stalled.read(&mut buffer)) {
            Ok(0) => break "the end of the stream",
            Ok(read) => bytes += read,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break "a reset",
            Err(error) if error.kind() == ErrorKind::WouldBlock => break "silence",
            Err(_) => break "an error",
        }
    };
    format!("the stalled socket had {bytes} unread bytes, then {end}")
}
