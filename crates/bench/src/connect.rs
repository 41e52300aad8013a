//! Opening many WebSockets: in batches that the listen backlog holds, each with its time limit.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::error::BenchError;
use crate::http::{self, AnswerReader};

/// Half the backlog of 1,024 for each of the two threads that connect would just fit; this leaves room.
const BATCH: usize = 256;
const THREADS: usize = 2;
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const UPGRADE_LIMIT: Duration = Duration::from_secs(15);

/// The smallest receive buffer that the kernel grants: a reader that never reads fills it at once.
const TINY_BUFFER: usize = 2048;

/// An upgraded connection, and the frames that came together with the 101.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) stream: TcpStream,
    pub(crate) early: Vec<u8>,
}

/// Opens `count` WebSockets at `path`.
pub(crate) fn open(
    address: SocketAddr,
    path: &str,
    count: usize,
) -> Result<Vec<Opened>, BenchError> {
    let share = count.div_ceil(THREADS).max(1);
    thread::scope(|scope| {
        let openers: Vec<_> = (0..count)
            .step_by(share)
            .map(|from| {
                let range = from..(from + share).min(count);
                scope.spawn(move || open_share(address, path, range))
            })
            .collect();
        let mut opened = Vec::with_capacity(count);
        for opener in openers {
            opened.extend(opener.join().map_err(|_| BenchError::ReceiverGone)??);
        }
        Ok(opened)
    })
}

fn open_share(
    address: SocketAddr,
    path: &str,
    range: std::ops::Range<usize>,
) -> Result<Vec<Opened>, BenchError> {
    let request = http::upgrade(address, path);
    let mut opened = Vec::with_capacity(range.len());
    let mut next = range.start;
    while next < range.end {
        let batch = next..(next + BATCH).min(range.end);
        next = batch.end;
        let asked: Vec<(usize, TcpStream)> = batch
            .map(|at| ask(address, &request, at).map(|stream| (at, stream)))
            .collect::<Result<_, _>>()?;
        for (at, stream) in asked {
            opened.push(await_upgrade(stream, at)?);
        }
    }
    Ok(opened)
}

/// Opens one WebSocket; `at` names it in errors.
pub(crate) fn open_one(address: SocketAddr, path: &str, at: usize) -> Result<Opened, BenchError> {
    let stream = ask(address, &http::upgrade(address, path), at)?;
    await_upgrade(stream, at)
}

/// Opens one WebSocket with a tiny receive buffer, for a peer that never reads.
pub(crate) fn open_silent(address: SocketAddr, path: &str) -> Result<TcpStream, BenchError> {
    let stream = connect_tiny(address).map_err(|source| BenchError::Connect { at: 0, source })?;
    (&stream)
        .write_all(&http::upgrade(address, path))
        .map_err(|source| BenchError::NoUpgrade { at: 0, source })?;
    Ok(await_upgrade(stream, 0)?.stream)
}

fn connect_tiny(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Before connecting: the window's scale is agreed in the handshake.
    socket.set_recv_buffer_size(TINY_BUFFER)?;
    socket.connect_timeout(&address.into(), CONNECT_LIMIT)?;
    Ok(socket.into())
}

/// Connects and sends the upgrade request without waiting for its answer.
fn ask(address: SocketAddr, request: &[u8], at: usize) -> Result<TcpStream, BenchError> {
    let connect = || {
        let stream = TcpStream::connect_timeout(&address, CONNECT_LIMIT)?;
        stream.set_nodelay(true)?;
        (&stream).write_all(request)?;
        Ok(stream)
    };
    connect().map_err(|source| BenchError::Connect { at, source })
}

fn await_upgrade(stream: TcpStream, at: usize) -> Result<Opened, BenchError> {
    let failed = |source| BenchError::NoUpgrade { at, source };
    stream
        .set_read_timeout(Some(UPGRADE_LIMIT))
        .map_err(failed)?;
    let mut reader = AnswerReader::default();
    let mut buffer = [0; 4096];
    let answer = loop {
        match (&stream).read(&mut buffer).map_err(failed)? {
            0 => return Err(failed(io::ErrorKind::UnexpectedEof.into())),
            read => reader.feed(buffer.get(..read).unwrap_or_default()),
        }
        if let Some(answer) = reader.take()? {
            break answer;
        }
    };
    if answer.status != 101 {
        let body = String::from_utf8_lossy(&answer.body)
            .chars()
            .take(200)
            .collect();
        let status = answer.status;
        return Err(BenchError::Refused { at, status, body });
    }
    let early = reader.into_rest();
    Ok(Opened { stream, early })
}
