//! Alerts at a steady rate. Each carries the moment at which it was due, so a late one shows its whole delay.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use super::{Plan, Published};
use crate::clock::{self, Nanos};
use crate::error::BenchError;
use crate::http::{AlertRequest, AnswerReader};
use crate::latency::Latency;
use crate::marker::{Marker, Run};

/// Time to start the threads before the first alert is due.
const LEAD: Duration = Duration::from_millis(20);
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// One publisher's share of the schedule: alerts `at`, `at + step`, … of all.
struct Share {
    publisher: u32,
    alerts: u32,
    step: u32,
    start: Nanos,
    interval: f64,
}

struct Sent {
    answered: u32,
    latency: Latency,
    finished: Nanos,
    failure: Option<String>,
}

pub(crate) fn publish(
    address: SocketAddr,
    run: &Run,
    plan: &Plan,
    alerts: u32,
    per_second: f64,
) -> Result<Published, BenchError> {
    let mut published = Published::new(plan.publishers)?;
    let mut lines = Vec::new();
    for at in 0..plan.publishers {
        lines.push(connect(address).map_err(|source| BenchError::Connect { at, source })?);
    }
    let start = clock::now() + clock::nanos(LEAD);
    published.started = start;
    let step = u32::try_from(plan.publishers).unwrap_or(u32::MAX);
    let sent: Vec<Result<Sent, BenchError>> = thread::scope(|scope| {
        let threads: Vec<_> = (0_u32..)
            .zip(lines)
            .map(|(publisher, line)| {
                let interval = 1e9 / per_second;
                let share = Share { publisher, alerts, step, start, interval };
                let request = AlertRequest::new(address, plan.message_bytes);
                scope.spawn(move || share.send(&line, request, run))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| BenchError::ReceiverGone)?)
            .collect()
    });
    for (answered, sent) in published.answered.iter_mut().zip(sent) {
        let sent = sent?;
        *answered = sent.answered;
        published.latency.merge(&sent.latency);
        published.finished = published.finished.max(sent.finished);
        published.failures.extend(sent.failure);
    }
    Ok(published)
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let line = TcpStream::connect_timeout(&address, ANSWER_LIMIT)?;
    line.set_nodelay(true)?;
    line.set_read_timeout(Some(ANSWER_LIMIT))?;
    line.set_write_timeout(Some(ANSWER_LIMIT))?;
    Ok(line)
}

impl Share {
    fn send(
        &self,
        line: &TcpStream,
        mut request: AlertRequest,
        run: &Run,
    ) -> Result<Sent, BenchError> {
        let mut sent =
            Sent { answered: 0, latency: Latency::new()?, finished: self.start, failure: None };
        let mut answers = AnswerReader::default();
        for at in (self.publisher..self.alerts).step_by(self.step.max(1) as usize) {
            let due = self.start + self.offset(at);
            clock::sleep_until(due);
            let publisher = self.publisher;
            let seq = sent.answered;
            let bytes = request.marked(run, Marker { publisher, seq, due });
            match exchange(line, bytes, &mut answers) {
                Ok(200..=299) => {
                    sent.answered += 1;
                    sent.finished = clock::now();
                    sent.latency.record(sent.finished.saturating_sub(due));
                }
                Ok(status) => {
                    sent.failure = Some(format!("an alert was answered {status}"));
                    break;
                }
                Err(error) => {
                    sent.failure = Some(format!("an alert was not answered: {error}"));
                    break;
                }
            }
        }
        Ok(sent)
    }

    /// When the alert `at` is due, from the start. Computed from the whole, so no error adds up.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive span far below 2^53 ns"
    )]
    fn offset(&self, at: u32) -> Nanos {
        (f64::from(at) * self.interval) as Nanos
    }
}

/// Sends one request and reads its answer's status.
fn exchange(mut line: &TcpStream, bytes: &[u8], answers: &mut AnswerReader) -> io::Result<u16> {
    line.write_all(bytes)?;
    let mut buffer = [0; 4096];
    loop {
        match line.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => answers.feed(buffer.get(..read).unwrap_or_default()),
        }
        if let Some(answer) = answers.take().map_err(io::Error::other)? {
            return Ok(answer.status);
        }
    }
}
