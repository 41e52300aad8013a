//! Connection storm: rate of connects and disconnects, and a check that no file stays open.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use socket2::SockRef;

use super::rounds::rounds;
use crate::arguments::TargetArgs;
use crate::clock::{self, Nanos};
use crate::connect;
use crate::error::{BenchError, Result};
use crate::frames;
use crate::latency::{self, Latency};
use crate::limits;
use crate::parallel;
use crate::phase;
use crate::report::{Round, TargetReport, Unit};
use crate::sampling;
use crate::target::Target;

/// Time limit within which the server must close its ends of the sockets that the clients closed.
const CLOSING_LIMIT: Duration = Duration::from_secs(20);
const FILES_INTERVAL: Duration = Duration::from_millis(5);
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

#[derive(Args, Debug, Serialize)]
pub(crate) struct StormArgs {
    /// Number of sockets that are opened together and then closed together
    #[arg(long, default_value_t = 5000)]
    sockets: usize,
    /// Number of sockets that are opened and closed one by one: half with Close, half by reset
    #[arg(long, default_value_t = 5000)]
    churn: u32,
    /// Number of threads that open and close sockets one by one
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    churners: u32,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

pub(crate) fn run(args: &StormArgs) -> Result<Vec<Round>> {
    limits::check(args.sockets)?;
    rounds(&args.target, |target| measure(args, target))
}

fn measure(args: &StormArgs, target: &mut Target) -> Result<TargetReport> {
    let pid = target.required_pid()?;
    drop(connect::open_one(&target.endpoint, 0)?);
    let mut report = TargetReport::default();
    let before = settled_files(pid)?;

    let started = clock::now();
    let opened = connect::open(&target.endpoint, args.sockets)?;
    let opening = clock::now() - started;
    let rate = phase::per_second(args.sockets as u64, latency::seconds(opening));
    report.measure("upgrades", Unit::PerSecond, rate);
    drop(opened);
    let closing = measure_files(&mut report, pid, before, "after the storm")?;
    report.measure("all closed after", Unit::Seconds, closing);

    let started = clock::now();
    let latencies = churn(args, target)?;
    let churning = latency::seconds(clock::now() - started);
    let rate = phase::per_second(u64::from(args.churn), churning);
    report.measure("churn: connects and disconnects", Unit::PerSecond, rate);
    for (name, times) in
        [("connect to 101", &latencies.opening), ("Close to its answer", &latencies.closing)]
    {
        report.measure_percentiles(&format!("churn: {name}"), times, &[50, 99]);
    }
    let lingered = latency::millis(linger(target)?);
    report.measure("Close to the end of the stream", Unit::Millis, lingered);
    measure_files(&mut report, pid, before, "after the churn")?;
    report.measure("server's open files before", Unit::Count, phase::ratio(before, 1));
    Ok(report)
}

/// Returns the smallest number of open files within two seconds. In this time the server closes the
/// files of the first connection.
fn settled_files(pid: u32) -> Result<u64> {
    let mut present = sampling::open_files(pid)?;
    let until = clock::now() + clock::nanos(Duration::from_secs(2));
    while clock::now() < until {
        thread::sleep(FILES_INTERVAL);
        present = present.min(sampling::open_files(pid)?);
    }
    Ok(present)
}

/// Waits until the server has at most `before` open files. Returns the duration of the wait in
/// seconds, or `None` after [`CLOSING_LIMIT`].
fn measure_files(
    report: &mut TargetReport,
    pid: u32,
    before: u64,
    when: &str,
) -> Result<Option<f64>> {
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
            report.broken.push(format!("{more} files still open {limit} s {when}"));
            return Ok(None);
        }
        thread::sleep(FILES_INTERVAL);
    }
}

struct ChurnLatencies {
    /// Time from connect to 101.
    opening: Latency,
    /// Time from the client's Close frame to the server's.
    closing: Latency,
}

impl ChurnLatencies {
    fn new() -> Result<Self> {
        Ok(Self { opening: Latency::new()?, closing: Latency::new()? })
    }
}

/// Opens and closes sockets on several threads.
fn churn(args: &StormArgs, target: &Target) -> Result<ChurnLatencies> {
    let share = |thread: u32| (thread..args.churn).step_by(args.churners as usize);
    let parts =
        parallel::run((0..args.churners).map(|thread| move || come_and_go(target, share(thread))))?;
    let mut all = ChurnLatencies::new()?;
    for part in parts {
        all.opening.merge(&part.opening);
        all.closing.merge(&part.closing);
    }
    Ok(all)
}

fn come_and_go(target: &Target, turns: impl Iterator<Item = u32>) -> Result<ChurnLatencies> {
    let mut latencies = ChurnLatencies::new()?;
    for (visit, turn) in turns.enumerate() {
        let at = turn as usize;
        let started = clock::now();
        let opened = connect::open_one(&target.endpoint, at)?;
        let opened_at = clock::now();
        latencies.opening.record(opened_at - started);
        let left = if visit.is_multiple_of(2) {
            await_close(&opened.stream)
        } else {
            // A reset leaves no socket in TIME_WAIT, so fewer local ports are occupied.
            SockRef::from(&opened.stream).set_linger(Some(Duration::ZERO))
        };
        left.map_err(|source| BenchError::NoClose { at, source })?;
        if visit.is_multiple_of(2) {
            latencies.closing.record(clock::now() - opened_at);
        }
    }
    Ok(latencies)
}

/// Sends a Close frame, and reads until the server's Close frame arrives.
fn await_close(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(CLOSE_LIMIT))?;
    stream.write_all(&frames::close(&1000_u16.to_be_bytes()))?;
    let mut received = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => received.extend_from_slice(buffer.get(..read).unwrap_or_default()),
        }
        let mut rest = received.as_slice();
        while let Some((frame, after)) = frames::split(rest).map_err(io::Error::other)? {
            if frame.opcode == frames::CLOSE {
                return Ok(());
            }
            rest = after;
        }
    }
}

/// Returns the time from the exchange of Close frames to the end of the stream, which the server
/// must end (RFC 6455, section 7.1.1).
fn linger(target: &Target) -> Result<Nanos> {
    let mut stream = connect::open_one(&target.endpoint, 0)?.stream;
    let failed = |source| BenchError::NoClose { at: 0, source };
    await_close(&stream).map_err(failed)?;
    let closed_at = clock::now();
    match stream.read(&mut [0; 16]) {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(failed(error)),
        _ => Ok(clock::now() - closed_at),
    }
}
