//! TCP connections to a server, and free addresses for servers.

use crate::patience::PATIENCE;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};

/// Opens a connection on which connecting, reads and writes fail after [`PATIENCE`].
#[track_caller]
pub fn connect(address: SocketAddr) -> TcpStream {
    try_connect(address).unwrap()
}

/// Like [`connect`], but returns an error, because the server may have stopped.
pub fn try_connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Returns a loopback address with a free port outside the ephemeral range. The kernel therefore
/// never uses the port for an outgoing connection while the server restarts.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test processes that run at the same time begin at different ports.
    let first = 10_000 + std::process::id() % 10_000;
    let is_free = |port| TcpListener::bind(("127.0.0.1", port)).ok()?.local_addr().ok();
    let mut ports = (0..1_000).map(|_| {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed);
        u16::try_from(first).unwrap() + offset
    });
    ports.find_map(is_free).expect("a free port")
}
