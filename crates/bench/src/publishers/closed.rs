//! Closed-loop publishers: keep-alive connections on one event loop, one request in flight each.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::plan::{Plan, Published};
use crate::clock::{self, Nanos};
use crate::error::{BenchError, Result};
use crate::http::{AlertRequest, ResponseReader};
use crate::marker::{Marker, Run};

/// The phase ends if no response arrives for this time.
const RESPONSE_LIMIT: Duration = Duration::from_secs(30);

struct PublisherSocket {
    stream: TcpStream,
    request: AlertRequest,
    responses: ResponseReader,
    /// Bytes of the request that the kernel has not accepted yet.
    unsent: Vec<u8>,
    sent_at: Nanos,
    is_done: bool,
}

/// Limits of the phase: the alerts that are left, and the time of the end.
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
) -> Result<Published> {
    let mut published = Published::new(plan.publishers)?;
    let poll = Poll::new().map_err(BenchError::Poll)?;
    let mut sockets = Vec::with_capacity(plan.publishers);
    for at in 0..plan.publishers {
        let socket = PublisherSocket::connect(address, plan.message_bytes, &poll, at);
        sockets.push(socket.map_err(|source| BenchError::Connect { at, source })?);
    }
    published.started = clock::now();
    published.finished = published.started;
    let mut budget = Budget { alerts, until: published.started.saturating_add(limit) };
    let mut closed_loop = ClosedLoop { run, budget: &mut budget, published: &mut published };
    for (index, socket) in sockets.iter_mut().enumerate() {
        closed_loop.start(index, socket);
    }
    closed_loop.run(poll, &mut sockets)?;
    Ok(published)
}

/// The event loop over all sockets.
struct ClosedLoop<'a> {
    run: &'a Run,
    budget: &'a mut Budget,
    published: &'a mut Published,
}

impl ClosedLoop<'_> {
    fn run(&mut self, mut poll: Poll, sockets: &mut [PublisherSocket]) -> Result<()> {
        let mut events = Events::with_capacity(512);
        let mut heard_at = clock::now();
        while sockets.iter().any(|socket| !socket.is_done) {
            match poll.poll(&mut events, Some(Duration::from_secs(1))) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled.map_err(BenchError::Poll)?,
            }
            for event in &events {
                let Token(index) = event.token();
                if let Some(socket) = sockets.get_mut(index) {
                    self.serve(index, socket);
                }
                heard_at = clock::now();
            }
            if clock::now() - heard_at > clock::nanos(RESPONSE_LIMIT) {
                self.published.failures.push("no answer within 30 s".to_owned());
                break;
            }
        }
        Ok(())
    }

    /// Sends the next alert; if none is left, marks the socket as done.
    fn start(&mut self, index: usize, socket: &mut PublisherSocket) {
        if !self.budget.take() {
            socket.is_done = true;
            return;
        }
        let seq = self.published.answered.get(index).copied().unwrap_or(0);
        socket.sent_at = clock::now();
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        let marker = Marker { publisher: number, seq, due: socket.sent_at };
        let bytes = socket.request.marked(self.run, marker);
        socket.unsent.clear();
        socket.unsent.extend_from_slice(bytes);
        if let Err(error) = socket.flush() {
            self.fail(socket, format!("an alert could not be sent: {error}"));
        }
    }

    fn fail(&mut self, socket: &mut PublisherSocket, failure: String) {
        socket.is_done = true;
        self.published.failures.push(failure);
    }

    /// Reads the available bytes and, after an answer, sends the next alert.
    fn serve(&mut self, index: usize, socket: &mut PublisherSocket) {
        if socket.is_done {
            return;
        }
        match socket.flush().and_then(|()| socket.read()) {
            Ok(None) => {}
            Ok(Some(200..=299)) => {
                let now = clock::now();
                self.published.latency.record(now.saturating_sub(socket.sent_at));
                self.published.finished = now;
                if let Some(answered) = self.published.answered.get_mut(index) {
                    *answered += 1;
                }
                self.start(index, socket);
            }
            Ok(Some(status)) => self.fail(socket, format!("an alert was answered with {status}")),
            Err(error) => self.fail(socket, format!("an alert was not answered: {error}")),
        }
    }
}

impl PublisherSocket {
    fn connect(
        address: SocketAddr,
        message_bytes: usize,
        poll: &Poll,
        index: usize,
    ) -> io::Result<Self> {
        let stream = std::net::TcpStream::connect_timeout(&address, RESPONSE_LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(
            &mut stream,
            Token(index),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        Ok(Self {
            stream,
            request: AlertRequest::new(address, message_bytes),
            responses: ResponseReader::default(),
            unsent: Vec::new(),
            sent_at: 0,
            is_done: false,
        })
    }

    /// Writes the request. Bytes that the kernel does not accept are written at the next event.
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

    /// Returns the status of the response when it is complete.
    fn read(&mut self) -> io::Result<Option<u16>> {
        loop {
            match self.responses.read_from(&self.stream) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if let Some(response) = self.responses.take().map_err(io::Error::other)? {
                return Ok(Some(response.status));
            }
        }
    }
}
