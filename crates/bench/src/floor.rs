//! The floor: the minimum work of a server, one `send(2)` of a prebuilt frame per socket and alert.
//!
//! The floor implements only the HTTP that the bench needs to measure the floor with the same
//! client. The floor answers upgrades, sends the body of each POST to all sockets, and then answers
//! the POST. The floor stores, validates and queues nothing.

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
/// Listen backlog, equal to the server's.
const BACKLOG: i32 = 1024;
const LISTENER: Token = Token(usize::MAX);
/// Time after which a socket whose buffer stays full is dropped.
const SEND_LIMIT: Duration = Duration::from_secs(10);

const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ";
const OK: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

enum Role {
    /// Sends requests. The bytes are the start of the next request.
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

/// Returns a listener whose backlog is large enough for the bench's batches. The standard library's
/// backlog of 128 is not.
fn listen() -> io::Result<TcpListener> {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// Ends this process when standard input ends. The bench has the writing end of this pipe, so the
/// floor ends with the bench, even if the bench is killed.
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
                // The peer disconnected before its connection was accepted, or the limit of open
                // files is reached.
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

    /// Reads the available bytes. Stops after a short read, because the socket is then empty, and a
    /// fast publisher must not delay the others. A socket whose peer has closed is read to its end,
    /// because epoll reports the end only once.
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
                // A Close frame is answered, and the receiver is removed. All other frames from a
                // receiver are ignored.
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

    /// Answers every complete request that has arrived.
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

    /// The measured work: one send for each socket.
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

/// Builds a frame from the body of the request, which contains the marker. The frame has
/// `frame_bytes` bytes, including its header, or more bytes if the body does not fit.
fn build_frame(body: &[u8], frame_bytes: usize, frame: &mut Vec<u8>) {
    let mut payload = body.to_vec();
    // With spaces after the object the payload is still valid JSON.
    payload.resize(payload.len().max(frames::payload_len(frame_bytes)), b' ');
    frame.clear();
    frames::text(&payload, frame);
}

/// Sends all bytes: one write(2), unless the socket's buffer is full.
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
    fn a_frame_has_the_requested_size_and_contains_the_body() {
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
