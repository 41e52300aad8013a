//! The cost of durability: the store on disk compared with the store in memory.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tempfile::TempDir;

use super::fanout::{self, FanoutArgs};
use crate::arguments::TargetArgs;
use crate::clock::{self, Nanos};
use crate::error::{BenchError, Result};
use crate::http::{self, AlertRequest};
use crate::http_client::HttpClient;
use crate::latency::{self, Latency};
use crate::limits;
use crate::phase;
use crate::publishers::{Pace, Plan};
use crate::receivers::Receivers;
use crate::report::{Columns, Round, TargetReport, Unit};
use crate::target::Target;

pub(crate) const COLUMNS: Columns = Columns { server: "disk", floor: "memory" };

/// Number of publishers that fill a history.
const HISTORY_PUBLISHERS: usize = 256;
/// Upper bound of the times that a query is repeated. `QUERY_TIME` can end the repeats earlier.
const QUERIES: u32 = 200;
const QUERY_TIME: Duration = Duration::from_secs(3);
/// Number of disk writes that are timed in each case of `PAUSES`. In the first case there is no
/// pause between writes. In the second case the writes have the rate of the paced phase, and the
/// disk is idle before each write.
const SYNCS: u32 = 100;
const PAUSES: [(&str, Duration); 2] = [
    ("write 4 KiB and sync", Duration::ZERO),
    ("paced: write 4 KiB and sync", Duration::from_millis(20)),
];
/// A word that only the oldest alert contains. All alerts have the location `b`.
const NEEDLE: &str = "needle";

#[derive(Args, Debug, Serialize)]
pub(crate) struct StoresArgs {
    /// Numbers of publishers to measure, each publisher with one alert in flight
    #[arg(long, value_delimiter = ',', default_value = "1,16,256")]
    publishers: Vec<usize>,
    /// Seconds for each number of publishers
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Bytes of an alert's text
    #[arg(long, default_value_t = 64)]
    message_bytes: usize,
    /// Number of sockets in the paced phase
    #[arg(long, default_value_t = 1000)]
    sockets: usize,
    /// Numbers of alerts in the history when queries are measured
    #[arg(long, value_delimiter = ',', default_value = "1000,1000000")]
    alerts: Vec<u32>,
    /// Folder in which the data folders are created and then removed
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

pub(crate) fn run(args: &StoresArgs) -> Result<Vec<Round>> {
    if args.target.url.is_some() {
        return Err(BenchError::OwnServerOnly("stores"));
    }
    let publishers = args.publishers.iter().max().copied().unwrap_or(0);
    limits::check(publishers.max(args.sockets).max(HISTORY_PUBLISHERS))?;
    (0..args.target.rounds)
        .map(|_| {
            let memory = Store { args, on_disk: false }.measure()?;
            let disk = Store { args, on_disk: true }.measure()?;
            Ok(Round { server: disk, floor: Some(memory) })
        })
        .collect()
}

/// The store that is measured: on disk or in memory.
struct Store<'a> {
    args: &'a StoresArgs,
    on_disk: bool,
}

/// A server with its own store. The data folder is removed on drop.
struct StoreServer {
    target: Target,
    arguments: TargetArgs,
    folder: Option<TempDir>,
}

impl StoreServer {
    /// Stops the server gracefully.
    fn end(&mut self) -> Result<()> {
        self.target.terminate();
        self.target.wait().map(|_status| ())
    }
}

impl Store<'_> {
    fn measure(&self) -> Result<TargetReport> {
        let mut report = TargetReport::default();
        if self.on_disk {
            measure_sync(&self.args.folder, &mut report)?;
        }
        for &publishers in &self.args.publishers {
            let case = format!("{publishers} publishers");
            self.measure_posts(&case, publishers, &[], &mut report)?;
            if self.on_disk {
                self.measure_gain(&case, publishers, &mut report)?;
            }
        }
        self.measure_fan_out(&mut report)?;
        for &alerts in &self.args.alerts {
            self.measure_history(alerts, &mut report)?;
        }
        Ok(report)
    }

    fn serve(&self, more: &[&str]) -> Result<StoreServer> {
        let mut arguments = self.args.target.clone();
        let folder = self.on_disk.then(|| data_folder(&self.args.folder)).transpose()?;
        if let Some(folder) = &folder {
            let folder = folder.path().display().to_string();
            arguments.server_args.extend(["--data".to_owned(), folder]);
        }
        arguments.server_args.extend(more.iter().map(|&argument| argument.to_owned()));
        Ok(StoreServer { target: Target::server(&arguments)?, arguments, folder })
    }

    /// Measures POST as fast as answers arrive, and the number of events per commit.
    fn measure_posts(
        &self,
        case: &str,
        publishers: usize,
        more: &[&str],
        report: &mut TargetReport,
    ) -> Result<()> {
        let mut server = self.serve(more)?;
        let limit = clock::nanos(Duration::from_secs(self.args.seconds));
        let plan = self.plan(publishers, u32::MAX, limit);
        let receivers = Receivers::connect(&server.target.endpoint, 0, 1)?;
        let result = phase::run(&server.target, &receivers, &plan)?;
        result.measure_posts(report, case);
        server.end()?;
        if self.on_disk {
            let line = server.target.last_line_with("commits=").unwrap_or_default();
            let carried = number(&line, "events=").zip(number(&line, "commits="));
            let carried = carried.map(|(events, commits)| phase::ratio(events, commits));
            report.measure(format!("{case}: events per commit"), Unit::Ratio, carried);
        }
        Ok(())
    }

    /// Measures POST with one commit per event, and the gain of group commit.
    fn measure_gain(&self, case: &str, publishers: usize, report: &mut TargetReport) -> Result<()> {
        let alone = format!("{case}, one commit each");
        self.measure_posts(&alone, publishers, &["--appends-per-commit", "1"], report)?;
        let rates = [case, &alone].map(|case| report.value(&format!("{case}: POST")));
        if let [Some(together), Some(alone)] = rates {
            let name = format!("{case}: group commit against one commit each");
            report.measure(name, Unit::Ratio, together / alone);
        }
        Ok(())
    }

    fn measure_fan_out(&self, report: &mut TargetReport) -> Result<()> {
        let mut server = self.serve(&[])?;
        let args = FanoutArgs::over(self.args.sockets, server.arguments.clone());
        let paced = fanout::measure(&args, &mut server.target)?;
        for measure in paced.measures {
            report.measure(format!("paced: {}", measure.name), measure.unit, measure.value);
        }
        report.verdicts.extend(paced.verdicts);
        server.end()
    }

    /// Measures a history of `alerts` alerts: queries, size on disk, and the time to start a server
    /// with this history.
    fn measure_history(&self, alerts: u32, report: &mut TargetReport) -> Result<()> {
        let room = (alerts + 1).to_string();
        let mut server = self.serve(&["--memory-events", &room, "--memory-alerts", &room])?;
        // This alert is the oldest of the history.
        let oldest = AlertRequest::with_text(server.target.address, NEEDLE);
        fetch(&mut connect(&server.target)?, &oldest)?;
        let receivers = Receivers::connect(&server.target.endpoint, 0, 1)?;
        let plan = self.plan(HISTORY_PUBLISHERS, alerts - 1, Nanos::MAX);
        let filled = phase::run(&server.target, &receivers, &plan)?;
        // Opens a new connection, because the server has closed the first connection as idle.
        let mut client = connect(&server.target)?;
        let case = format!("{alerts} alerts");
        report.verdicts.insert(format!("{case}, filling"), filled.verdict());
        for (name, query, count) in [
            ("newest 10", "limit=10".to_owned(), alerts.min(10)),
            ("word in all alerts", "q=b".to_owned(), alerts.min(10)),
            ("word in the oldest alert", format!("q={NEEDLE}"), 1),
            ("both words", format!("q={NEEDLE}+b"), 1),
        ] {
            let path = format!("/alerts?{query}");
            let times = measure_query(&mut client, &server.target, &path, count, report)?;
            report.measure_percentiles(&format!("{case}, {name}:"), &times, &[50, 99]);
        }
        drop(client);
        server.end()?;
        let Some(folder) = &server.folder else { return Ok(()) };
        let bytes = size_of(folder.path())?;
        let each = phase::ratio(bytes, u64::from(alerts));
        report.measure(format!("{case}: on disk per alert"), Unit::Bytes, each);
        let begun = clock::now();
        server.target = Target::server(&server.arguments)?;
        let took = latency::seconds(clock::now().saturating_sub(begun));
        report.measure(format!("{case}: start"), Unit::Seconds, took);
        server.end()
    }

    fn plan(&self, publishers: usize, alerts: u32, limit: Nanos) -> Plan {
        let pace = Pace::Closed { alerts, limit };
        Plan { publishers, pace, message_bytes: self.args.message_bytes }
    }
}

fn data_folder(beside: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("bench-data-").tempdir_in(beside)
}

/// Measures the time of a write of 4 KiB with a sync, without a server.
fn measure_sync(folder: &Path, report: &mut TargetReport) -> Result<()> {
    let folder = data_folder(folder)?;
    // The name begins like the name of the server's database. A preloaded library that delays the
    // syncs of the database therefore also delays the syncs of this file.
    let mut file = File::create(folder.path().join("northgate.db-probe"))?;
    for (case, pause) in PAUSES {
        let mut times = Latency::new()?;
        for _ in 0..SYNCS {
            thread::sleep(pause);
            let begun = clock::now();
            file.write_all(&[b'x'; 4096])?;
            file.sync_all()?;
            times.record(clock::now().saturating_sub(begun));
        }
        report.measure_percentiles(&format!("{case}:"), &times, &[50, 99]);
    }
    Ok(())
}

fn measure_query(
    client: &mut HttpClient,
    target: &Target,
    path: &str,
    count: u32,
    report: &mut TargetReport,
) -> Result<Latency> {
    let mut times = Latency::new()?;
    let until = clock::now() + clock::nanos(QUERY_TIME);
    for _ in 0..QUERIES {
        let begun = clock::now();
        let found = find(client, target, path, u64::from(count))?;
        times.record(clock::now().saturating_sub(begun));
        if found != u64::from(count) {
            report.broken.push(format!("GET {path} did not return {count} alerts"));
            break;
        }
        if clock::now() > until {
            break;
        }
    }
    Ok(times)
}

/// Returns the number of alerts found. Follows the links to older pages until `count` alerts are
/// found, because one answer may end before the complete history is searched.
fn find(client: &mut HttpClient, target: &Target, path: &str, count: u64) -> Result<u64> {
    let mut next = Some(path.to_owned());
    let mut found = 0;
    while let Some(path) = next.filter(|_path| found < count) {
        let body = fetch(client, &http::get(target.address, &path))?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        found += body.get("count").and_then(Value::as_u64).unwrap_or_default();
        // A link is only a query for the same path. Older servers send the path and the query.
        let address = path.split('?').next().unwrap_or_default();
        let previous = body.get("previous").and_then(Value::as_str);
        next = previous.map(|link| match link.strip_prefix('?') {
            Some(query) => format!("{address}?{query}"),
            None => link.to_owned(),
        });
    }
    Ok(found)
}

fn connect(target: &Target) -> Result<HttpClient> {
    HttpClient::connect(target.address).map_err(|source| BenchError::Connect { at: 0, source })
}

/// Sends a request, and returns the body of a response with status 2xx.
fn fetch(client: &mut HttpClient, request: &[u8]) -> Result<Vec<u8>> {
    let response = client.send(request)?;
    let body = || String::from_utf8_lossy(&response.body).into_owned();
    match response.status {
        200..=299 => Ok(response.body),
        status => Err(BenchError::Refused { at: 0, status, body: body() }),
    }
}

/// Returns the number after `name` in a log line.
fn number(line: &str, name: &str) -> Option<u64> {
    let (_, rest) = line.split_once(name)?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

fn size_of(folder: &Path) -> io::Result<u64> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_and_events_are_read_from_a_log_line() {
        let line = "2026-01-01T00:00:00Z  INFO written to disk commits=12 events=345";
        assert_eq!(number(line, "commits="), Some(12));
        assert_eq!(number(line, "events="), Some(345));
        assert_eq!(number(line, "bytes="), None);
    }
}
