//! A stalled reader: one socket that never reads, among many that do.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::rounds_without_floor;
use crate::cli::TargetArgs;
use crate::clock::{self, Nanos};
use crate::connect;
use crate::error::BenchError;
use crate::latency;
use crate::limits;
use crate::phase;
use crate::publishers::{Pace, Plan};
use crate::receivers::Fleet;
use crate::report::{Round, Sheet, Unit};
use crate::sampling::{self, Repeated};
use crate::target::Target;

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long after the last alert the stalled socket may still be cut.
const CUT_LIMIT: Duration = Duration::from_mins(1);
const READ_LIMIT: Duration = Duration::from_secs(2);

#[derive(Args, Debug, Serialize)]
pub(crate) struct StallArgs {
    /// Sockets that read
    #[arg(long, default_value_t = 500)]
    sockets: usize,
    /// Alerts while one socket does not read
    #[arg(long, default_value_t = 20_000)]
    alerts: u32,
    /// Seconds over which they are spread
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Seconds of the phase before, at the same pace, in which all read
    #[arg(long, default_value_t = 20)]
    control_seconds: u32,
    /// Length of an alert's text
    #[arg(long, default_value_t = 1000)]
    message_bytes: usize,
    /// Connections that publish, in turn
    #[arg(long, default_value_t = 4)]
    publishers: usize,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

pub(crate) fn run(args: &StallArgs) -> Result<Vec<Round>, BenchError> {
    limits::check(args.sockets + args.publishers)?;
    rounds_without_floor(&args.target, |target| measure(args, target))
}

/// What is seen of the server from outside while alerts go by.
#[derive(Default)]
struct Seen {
    peak_kib: u64,
    cut_at: Option<Nanos>,
}

fn measure(args: &StallArgs, target: &mut Target) -> Result<Sheet, BenchError> {
    let pid = target.required_pid()?;
    let readers = usize::from(args.target.readers);
    let fleet = Fleet::connect(&target.feed, args.sockets, readers)?;
    let per_second = f64::from(args.alerts) / f64::from(args.seconds);
    let plan = |alerts| Plan {
        publishers: args.publishers,
        pace: Pace::Rate { alerts, per_second },
        message_bytes: args.message_bytes,
    };
    let mut sheet = Sheet::default();
    let share = u64::from(args.alerts) * u64::from(args.control_seconds) / u64::from(args.seconds);
    let control = plan(u32::try_from(share).unwrap_or(u32::MAX));
    let control = phase::run(target, &fleet, &control)?;
    control.measure_latency(&mut sheet, "all read: delivery");
    sheet.verdicts.insert("all read".to_owned(), control.verdict());

    let before = sampling::memory(pid)?.rss_kib;
    let stalled = connect::open_silent(&target.feed)?;
    let started = clock::now();
    let watch = watch(pid, target.address.port(), &stalled)?;
    let outcome = phase::run(target, &fleet, &plan(args.alerts))?;
    outcome.measure_latency(&mut sheet, "one stalled: delivery");
    sheet.verdicts.insert("one stalled".to_owned(), outcome.verdict());
    let seen = watch.finish()?;
    let cut_at = match seen.cut_at {
        Some(at) => Some(at),
        None => await_cut(pid, target.address.port(), &stalled)?,
    };
    let after = sampling::memory(pid)?.rss_kib;

    for (name, kib) in [("before", before), ("peak", seen.peak_kib), ("after", after)] {
        sheet.measure(format!("server RSS {name}"), Unit::KiB, phase::ratio(kib, 1));
    }
    let cut_after = cut_at.map(|at| latency::seconds(at.saturating_sub(started)));
    sheet.measure("stalled socket cut after", Unit::Seconds, cut_after);
    if cut_at.is_none() {
        let limit = CUT_LIMIT.as_secs();
        sheet
            .broken
            .push(format!("the stalled socket was not cut within {limit} s of the last alert"));
    }
    sheet.notes.push(read_to_the_end(&stalled));
    Ok(sheet)
}

fn watch(pid: u32, port: u16, stalled: &TcpStream) -> Result<Repeated<Seen>, BenchError> {
    let client_port = stalled.local_addr()?.port();
    Ok(Repeated::start(LOOK_EVERY, Seen::default(), move |seen| {
        // A server that has gone shows in the phase itself; here it only cannot be sampled.
        if let Ok(memory) = sampling::memory(pid) {
            seen.peak_kib = seen.peak_kib.max(memory.rss_kib);
        }
        if seen.cut_at.is_none()
            && let Ok(false) = sampling::holds_connection(pid, port, client_port)
        {
            seen.cut_at = Some(clock::now());
        }
    }))
}

fn await_cut(pid: u32, port: u16, stalled: &TcpStream) -> Result<Option<Nanos>, BenchError> {
    let client_port = stalled.local_addr()?.port();
    let until = clock::now() + clock::nanos(CUT_LIMIT);
    while clock::now() < until {
        if !sampling::holds_connection(pid, port, client_port)? {
            return Ok(Some(clock::now()));
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(None)
}

/// Reads what the stalled socket still holds, and says how it ends.
fn read_to_the_end(mut stalled: &TcpStream) -> String {
    let mut buffer = vec![0; 64 * 1024];
    let mut held = 0;
    let end = loop {
        match stalled.set_read_timeout(Some(READ_LIMIT)).and_then(|()| stalled.read(&mut buffer)) {
            Ok(0) => break "the end of the stream",
            Ok(read) => held += read,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break "a reset",
            Err(error) if error.kind() == ErrorKind::WouldBlock => break "silence",
            Err(_) => break "an error",
        }
    };
    format!("the stalled socket held {held} bytes, then {end}")
}
