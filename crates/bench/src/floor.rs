//! The floor: the least that a server can do, one `send(2)` of a prebuilt frame for each socket and alert.
//!
//! The floor speaks just enough HTTP for the same client to measure it: upgrades are answered, and a POST is
//! fanned out and then answered. Nothing is stored, checked or queued.

use std::io::{self, Read, Write};
use std::mem;
use std::net::SocketAddr;
use std::process;
use std::thread;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use rustix::event::{PollFd, PollFlags, Timespec};
use socket2::{Domain, Socket, Type};

use crate::frames;
use crate::http;

const READ_BYTES: usize = 16 * 1024;
/// As the server's own.
const BACKLOG: i32 = 1024;
const LISTENER: Token = Token(usize::MAX);
/// A reader that takes nothing for so long is dropped.
const SEND_LIMIT: Duration = Duration::from_secs(10);

const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ";
const OK: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

enum Role {
    /// Sends requests; the start of the next one.
    Publisher(Vec<u8>),
    /// Receives frames.
    Receiver,
}

struct Connection {
    stream: TcpStream,
    role: Role,
}

struct Floor {
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    receivers: Vec<usize>,
    frame_bytes: usize,
    frame: Vec<u8>,
}

/// Serves until standard input closes.
pub(crate) fn serve(frame_bytes: usize) -> io::Result<()> {
    let mut listener = listen()?;
    let address = listener.local_addr()?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    end_with_parent();
    writeln!(io::stdout(), "floor on http://{address}")?;
    let mut floor = Floor {
        connections: Vec::new(),
        free: Vec::new(),
        receivers: Vec::new(),
        frame_bytes,
        frame: Vec::new(),
    };
    let mut events = Events::with_capacity(1024);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            if event.token() == LISTENER {
                floor.accept(&listener, &poll)?;
            } else {
                floor.read(event.token().0, event.is_read_closed());
            }
        }
    }
}

/// A listener whose backlog holds the bench's batches, which the standard library's 128 does not.
fn listen() -> io::Result<TcpListener> {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// The bench holds the other end of standard input: when it goes, however it goes, so does the floor.
fn end_with_parent() {
    thread::spawn(|| {
        let _ended = io::copy(&mut io::stdin(), &mut io::sink());
        process::exit(0);
    });
}

impl Floor {
    fn accept(&mut self, listener: &TcpListener, poll: &Poll) -> io::Result<()> {
        loop {
            let mut stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // The peer went before it was accepted, or the limit on files is reached.
                Err(_) => continue,
            };
            stream.set_nodelay(true)?;
            let index = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
            if let Some(slot) = self.connections.get_mut(index) {
                let role = Role::Publisher(Vec::new());
                *slot = Some(Connection { stream, role });
            }
        }
    }

    /// Reads what came. A short read has drained the socket; only its end, of which epoll tells once,
    /// is read up to. So no publisher that is quick to go on keeps the others waiting.
    fn read(&mut self, index: usize, is_closed: bool) {
        let mut buffer = [0; READ_BYTES];
        loop {
            let Some(Some(connection)) = self.connections.get_mut(index) else {
                return;
            };
            let read = match connection.stream.read(&mut buffer) {
                Ok(0) => return self.remove(index),
                Ok(read) => buffer.get(..read).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => return self.remove(index),
            };
            let drained = read.len() < READ_BYTES && !is_closed;
            match &mut connection.role {
                Role::Publisher(request) => request.extend_from_slice(read),
                // The only frame that matters here is Close, and it is answered by closing.
                Role::Receiver if read.first() == Some(&(0x80 | frames::CLOSE)) => {
                    let _gone = connection.stream.write(&[0x80 | frames::CLOSE, 0]);
                    return self.remove(index);
                }
                Role::Receiver => {}
            }
            self.serve_requests(index);
            if drained {
                return;
            }
        }
    }

    fn remove(&mut self, index: usize) {
        if let Some(slot) = self.connections.get_mut(index)
            && slot.take().is_some()
        {
            self.free.push(index);
            self.receivers.retain(|&receiver| receiver != index);
        }
    }

    /// Answers every whole request that has come.
    fn serve_requests(&mut self, index: usize) {
        loop {
            let Some(Some(connection)) = self.connections.get_mut(index) else {
                return;
            };
            let Role::Publisher(request) = &mut connection.role else {
                return;
            };
            let Some(head) = http::parse_request_head(request) else {
                return;
            };
            if head.start == "GET" {
                connection.role = Role::Receiver;
                self.receivers.push(index);
                let response = format!("{SWITCHING}{}\r\n\r\n", http::ACCEPT);
                return self.respond(index, response.as_bytes());
            }
            let end = head.length.saturating_add(head.content_length.unwrap_or(0));
            let Some(body) = request.get(head.length..end) else {
                return;
            };
            build_frame(body, self.frame_bytes, &mut self.frame);
            request.drain(..end);
            self.fan_out();
            self.respond(index, OK);
        }
    }

    fn respond(&mut self, index: usize, bytes: &[u8]) {
        if let Some(Some(connection)) = self.connections.get_mut(index)
            && send(&mut connection.stream, bytes).is_err()
        {
            self.remove(index);
        }
    }

    /// The measured part: one send for each socket.
    fn fan_out(&mut self) {
        let frame = mem::take(&mut self.frame);
        let mut gone = Vec::new();
        for &index in &self.receivers {
            if let Some(Some(connection)) = self.connections.get_mut(index)
                && send(&mut connection.stream, &frame).is_err()
            {
                gone.push(index);
            }
        }
        self.frame = frame;
        for index in gone {
            self.remove(index);
        }
    }
}

/// The request's body, which holds the marker, as a frame of `frame_bytes` in all if it fits.
fn build_frame(body: &[u8], frame_bytes: usize, frame: &mut Vec<u8>) {
    let mut payload = body.to_vec();
    // Blanks after the object keep it JSON.
    payload.resize(payload.len().max(frames::payload_len(frame_bytes)), b' ');
    frame.clear();
    frames::text(&payload, frame);
}

/// One write(2), and a wait only if the socket's buffer is full.
fn send(stream: &mut TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => await_room(stream)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn await_room(stream: &TcpStream) -> io::Result<()> {
    let mut waited = [PollFd::new(stream, PollFlags::OUT)];
    let limit = Timespec::try_from(SEND_LIMIT).map_err(io::Error::other)?;
    match rustix::event::poll(&mut waited, Some(&limit))? {
        0 => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_the_size_that_was_asked_for_and_holds_the_body() {
        for size in [60, 127, 130, 200, 500, 70_000] {
            let mut frame = Vec::new();
            build_frame(b"{\"message\":\"b:1:0:0:0:\"}", size, &mut frame);
            assert_eq!(frame.len(), size);
            let (whole, rest) = frames::split(&frame).unwrap().unwrap();
            assert!(rest.is_empty());
            let json: serde_json::Value = serde_json::from_slice(whole.payload).unwrap();
            assert_eq!(json["message"], "b:1:0:0:0:");
        }
    }
}
