//! Connection storm: how fast sockets open, how fast they come and go, and that nothing of them stays.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use socket2::SockRef;

use super::rounds;
use crate::cli::TargetArgs;
use crate::clock::{self, Nanos};
use crate::connect;
use crate::error::BenchError;
use crate::frames;
use crate::latency::{self, Latency};
use crate::limits;
use crate::phase;
use crate::report::{Round, Sheet, Unit};
use crate::sampling;
use crate::target::Target;

/// How long the server may take to close what its clients closed.
const CLOSING_LIMIT: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(5);
const FAREWELL_LIMIT: Duration = Duration::from_secs(5);

#[derive(Args, Debug, Serialize)]
pub(crate) struct StormArgs {
    /// Sockets that are opened at once and then closed at once
    #[arg(long, default_value_t = 5000)]
    sockets: usize,
    /// Sockets that are opened and closed one after the other: half with Close, half by reset
    #[arg(long, default_value_t = 5000)]
    churn: u32,
    /// Threads that open and close
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    churners: u32,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

pub(crate) fn run(args: &StormArgs) -> Result<Vec<Round>, BenchError> {
    limits::check(args.sockets)?;
    rounds(&args.target, |target| measure(args, target))
}

fn measure(args: &StormArgs, target: &mut Target) -> Result<Sheet, BenchError> {
    let pid = target.required_pid()?;
    drop(connect::open_one(&target.feed, 0)?);
    let mut sheet = Sheet::default();
    let before = settled_files(pid)?;

    let started = clock::now();
    let opened = connect::open(&target.feed, args.sockets)?;
    let opening = clock::now() - started;
    let rate = phase::per(args.sockets as u64, latency::seconds(opening));
    sheet.measure("upgrades", Unit::PerSecond, rate);
    drop(opened);
    let closing = measure_files(&mut sheet, pid, before, "after the storm")?;
    sheet.measure("all closed after", Unit::Seconds, closing);

    let started = clock::now();
    let times = churn(args, target)?;
    let churning = latency::seconds(clock::now() - started);
    let rate = phase::per(u64::from(args.churn), churning);
    sheet.measure("churn: connects and disconnects", Unit::PerSecond, rate);
    sheet.measure("churn: connect to 101 p50", Unit::Millis, times.quantile_ms(0.5));
    sheet.measure("churn: connect to 101 p99", Unit::Millis, times.quantile_ms(0.99));
    measure_files(&mut sheet, pid, before, "after the churn")?;
    sheet.measure("server's files before", Unit::Count, phase::ratio(before, 1));
    Ok(sheet)
}

/// The number of open files once the first connection's are closed.
fn settled_files(pid: u32) -> Result<u64, BenchError> {
    let mut present = sampling::open_files(pid)?;
    let until = clock::now() + clock::nanos(Duration::from_secs(2));
    while clock::now() < until {
        thread::sleep(LOOK_EVERY);
        present = present.min(sampling::open_files(pid)?);
    }
    Ok(present)
}

/// Waits until the server has no more files open than at the start; the seconds that took.
fn measure_files(
    sheet: &mut Sheet,
    pid: u32,
    before: u64,
    when: &str,
) -> Result<Option<f64>, BenchError> {
    let started = clock::now();
    loop {
        let present = sampling::open_files(pid)?;
        let waited = clock::now() - started;
        if present <= before {
            return Ok(Some(latency::seconds(waited)));
        }
        if waited > clock::nanos(CLOSING_LIMIT) {
            let more = present - before;
            let limit = CLOSING_LIMIT.as_secs();
            sheet.broken.push(format!("{more} files still open {limit} s {when}"));
            return Ok(None);
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Opens and closes sockets on several threads; the times from connect to 101.
fn churn(args: &StormArgs, target: &Target) -> Result<Latency, BenchError> {
    let mut all = Latency::new()?;
    let share = |thread: u32| (thread..args.churn).step_by(args.churners as usize);
    let parts: Vec<Result<Latency, BenchError>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..args.churners)
            .map(|thread| scope.spawn(move || come_and_go(target, share(thread))))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| BenchError::ReceiverGone)?)
            .collect()
    });
    for part in parts {
        all.merge(&part?);
    }
    Ok(all)
}

fn come_and_go(target: &Target, turns: impl Iterator<Item = u32>) -> Result<Latency, BenchError> {
    let mut times = Latency::new()?;
    for (visit, turn) in turns.enumerate() {
        let started: Nanos = clock::now();
        let opened = connect::open_one(&target.feed, turn as usize)?;
        times.record(clock::now() - started);
        let left = if visit.is_multiple_of(2) {
            leave_politely(&opened.stream)
        } else {
            // A reset leaves no TIME_WAIT behind, so local ports suffice.
            SockRef::from(&opened.stream).set_linger(Some(Duration::ZERO))
        };
        let at = turn as usize;
        left.map_err(|source| BenchError::Connect { at, source })?;
    }
    Ok(times)
}

/// Sends Close and reads until the server ends the stream.
fn leave_politely(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(FAREWELL_LIMIT))?;
    stream.write_all(&frames::close(&1000_u16.to_be_bytes()))?;
    let mut rest = [0; 256];
    loop {
        match stream.read(&mut rest) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
