//! Opens many connections in batches that fit into the listen backlog, with time limits.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::error::{BenchError, Result};
use crate::http::{self, ResponseReader};
use crate::parallel;

/// Connections per batch and thread. All threads together occupy at most a quarter of the usual
/// listen backlog of 1,024. If the backlog is full, a connect waits for one second.
const BATCH: usize = 128;
const CONNECTING_THREADS: usize = 2;
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const UPGRADE_LIMIT: Duration = Duration::from_secs(15);

/// Size of a receive buffer in bytes, as small as the kernel allows. If the client never reads,
/// this buffer is full quickly.
const TINY_BUFFER: usize = 2048;

/// Protocol by which events are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    WebSocket,
    EventStream,
}

/// Address and path from which events are read.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    /// Path with its query.
    pub(crate) path: String,
    pub(crate) protocol: Protocol,
}

impl Endpoint {
    fn request(&self) -> Vec<u8> {
        match self.protocol {
            Protocol::WebSocket => http::upgrade(self.address, &self.path),
            Protocol::EventStream => http::subscribe(self.address, &self.path),
        }
    }

    fn wanted_status(&self) -> u16 {
        match self.protocol {
            Protocol::WebSocket => 101,
            Protocol::EventStream => 200,
        }
    }
}

/// An open connection, and the bytes that arrived after the head of the response.
#[derive(Debug)]
pub(crate) struct OpenConnection {
    pub(crate) stream: TcpStream,
    pub(crate) early: Vec<u8>,
    pub(crate) protocol: Protocol,
}

/// Opens `count` connections to the endpoint.
pub(crate) fn open(endpoint: &Endpoint, count: usize) -> Result<Vec<OpenConnection>> {
    let share = count.div_ceil(CONNECTING_THREADS).max(1);
    let shares = (0..count).step_by(share).map(|from| from..(from + share).min(count));
    let opened = parallel::run(shares.map(|share| move || open_share(endpoint, share)))?;
    Ok(opened.into_iter().flatten().collect())
}

fn open_share(endpoint: &Endpoint, range: Range<usize>) -> Result<Vec<OpenConnection>> {
    let request = endpoint.request();
    let mut opened = Vec::with_capacity(range.len());
    let mut next = range.start;
    while next < range.end {
        let batch = next..(next + BATCH).min(range.end);
        next = batch.end;
        let requested: Vec<(usize, TcpStream)> = batch
            .map(|at| send_request(endpoint.address, &request, at).map(|stream| (at, stream)))
            .collect::<Result<_, _>>()?;
        for (at, stream) in requested {
            opened.push(await_response(endpoint, stream, at)?);
        }
    }
    Ok(opened)
}

/// Opens one connection. `at` is the number of the connection in error texts.
pub(crate) fn open_one(endpoint: &Endpoint, at: usize) -> Result<OpenConnection> {
    let stream = send_request(endpoint.address, &endpoint.request(), at)?;
    await_response(endpoint, stream, at)
}

/// Opens one connection with a tiny receive buffer, for a client that never reads.
pub(crate) fn open_silent(endpoint: &Endpoint) -> Result<TcpStream> {
    let stream =
        connect_tiny(endpoint.address).map_err(|source| BenchError::Connect { at: 0, source })?;
    (&stream)
        .write_all(&endpoint.request())
        .map_err(|source| BenchError::NoUpgrade { at: 0, source })?;
    Ok(await_response(endpoint, stream, 0)?.stream)
}

fn connect_tiny(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Set before connecting, because the TCP handshake fixes the window scale.
    socket.set_recv_buffer_size(TINY_BUFFER)?;
    socket.connect_timeout(&address.into(), CONNECT_LIMIT)?;
    Ok(socket.into())
}

/// Connects and sends the upgrade request without waiting for the response.
fn send_request(address: SocketAddr, request: &[u8], at: usize) -> Result<TcpStream> {
    let connect = || {
        let stream = TcpStream::connect_timeout(&address, CONNECT_LIMIT)?;
        stream.set_nodelay(true)?;
        (&stream).write_all(request)?;
        Ok(stream)
    };
    connect().map_err(|source| BenchError::Connect { at, source })
}

fn await_response(endpoint: &Endpoint, stream: TcpStream, at: usize) -> Result<OpenConnection> {
    let failed = |source| BenchError::NoUpgrade { at, source };
    stream.set_read_timeout(Some(UPGRADE_LIMIT)).map_err(failed)?;
    let mut reader = ResponseReader::default();
    let status = loop {
        reader.read_from(&stream).map_err(failed)?;
        if let Some(status) = reader.take_head()? {
            break status;
        }
    };
    let early = reader.into_rest();
    if status != endpoint.wanted_status() {
        let body = String::from_utf8_lossy(&early).chars().take(200).collect();
        return Err(BenchError::Refused { at, status, body });
    }
    Ok(OpenConnection { stream, early, protocol: endpoint.protocol })
}
