//! Alerts as fast as answers come: many keep-alive connections on one event loop, each with one request in flight.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::{Plan, Published};
use crate::clock::{self, Nanos};
use crate::error::BenchError;
use crate::http::{AlertRequest, AnswerReader};
use crate::marker::{Marker, Run};

/// An answer that stays away for so long ends the phase.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

struct Line {
    stream: TcpStream,
    request: AlertRequest,
    answers: AnswerReader,
    /// The part of the request that the kernel has not taken yet.
    unsent: Vec<u8>,
    sent_at: Nanos,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Done,
}

/// What is left to send in all.
struct Budget {
    alerts: u32,
    until: Nanos,
}

impl Budget {
    fn take(&mut self) -> bool {
        let granted = self.alerts > 0 && clock::now() < self.until;
        if granted {
            self.alerts -= 1;
        }
        granted
    }
}

pub(crate) fn publish(
    address: SocketAddr,
    run: &Run,
    plan: &Plan,
    alerts: u32,
    limit: Nanos,
) -> Result<Published, BenchError> {
    let mut published = Published::new(plan.publishers)?;
    let poll = Poll::new().map_err(BenchError::Poll)?;
    let mut lines = Vec::with_capacity(plan.publishers);
    for at in 0..plan.publishers {
        let line = Line::open(address, plan.message_bytes, &poll, at);
        lines.push(line.map_err(|source| BenchError::Connect { at, source })?);
    }
    published.started = clock::now();
    published.finished = published.started;
    let mut budget = Budget { alerts, until: published.started.saturating_add(limit) };
    let mut turn = Turn { run, budget: &mut budget, published: &mut published };
    for (publisher, line) in lines.iter_mut().enumerate() {
        turn.start(publisher, line);
    }
    turn.serve(poll, &mut lines)?;
    Ok(published)
}

/// What every line needs when its turn comes.
struct Turn<'a> {
    run: &'a Run,
    budget: &'a mut Budget,
    published: &'a mut Published,
}

impl Turn<'_> {
    fn serve(&mut self, mut poll: Poll, lines: &mut [Line]) -> Result<(), BenchError> {
        let mut events = Events::with_capacity(512);
        let mut heard_at = clock::now();
        while lines.iter().any(|line| line.state == State::Waiting) {
            match poll.poll(&mut events, Some(Duration::from_secs(1))) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled.map_err(BenchError::Poll)?,
            }
            for event in &events {
                let Token(publisher) = event.token();
                if let Some(line) = lines.get_mut(publisher) {
                    self.attend(publisher, line);
                }
                heard_at = clock::now();
            }
            if clock::now() - heard_at > clock::nanos(ANSWER_LIMIT) {
                self.published.failures.push("no answer for 30 s".to_owned());
                break;
            }
        }
        Ok(())
    }

    /// Sends the next alert, or retires the line when none is left.
    fn start(&mut self, publisher: usize, line: &mut Line) {
        if !self.budget.take() {
            line.state = State::Done;
            return;
        }
        let seq = self.published.answered.get(publisher).copied().unwrap_or(0);
        line.sent_at = clock::now();
        let publisher = u32::try_from(publisher).unwrap_or(u32::MAX);
        let due = line.sent_at;
        let bytes = line.request.marked(self.run, Marker { publisher, seq, due });
        line.unsent.clear();
        line.unsent.extend_from_slice(bytes);
        if let Err(error) = line.flush() {
            self.fail(line, format!("an alert could not be sent: {error}"));
        }
    }

    fn fail(&mut self, line: &mut Line, failure: String) {
        line.state = State::Done;
        self.published.failures.push(failure);
    }

    /// Reads what came and, after an answer, sends the next alert.
    fn attend(&mut self, publisher: usize, line: &mut Line) {
        if line.state == State::Done {
            return;
        }
        match line.flush().and_then(|()| line.read()) {
            Ok(None) => {}
            Ok(Some(200..=299)) => {
                let now = clock::now();
                self.published.latency.record(now.saturating_sub(line.sent_at));
                self.published.finished = now;
                if let Some(answered) = self.published.answered.get_mut(publisher) {
                    *answered += 1;
                }
                self.start(publisher, line);
            }
            Ok(Some(status)) => self.fail(line, format!("an alert was answered {status}")),
            Err(error) => self.fail(line, format!("an alert was not answered: {error}")),
        }
    }
}

impl Line {
    fn open(
        address: SocketAddr,
        message_bytes: usize,
        poll: &Poll,
        publisher: usize,
    ) -> io::Result<Self> {
        let stream = std::net::TcpStream::connect_timeout(&address, ANSWER_LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(
            &mut stream,
            Token(publisher),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        Ok(Self {
            stream,
            request: AlertRequest::new(address, message_bytes),
            answers: AnswerReader::default(),
            unsent: Vec::new(),
            sent_at: 0,
            state: State::Waiting,
        })
    }

    /// Hands the request to the kernel; what it does not take waits for the next event.
    fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The status of the answer, once it is whole.
    fn read(&mut self) -> io::Result<Option<u16>> {
        let mut buffer = [0; 2048];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.answers.feed(buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if let Some(answer) = self.answers.take().map_err(io::Error::other)? {
                return Ok(Some(answer.status));
            }
        }
    }
}
