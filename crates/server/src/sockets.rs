//! The listening socket, and the socket options of every connection.

use actix_web::rt::net::TcpStream;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// Upper bound of connections that wait to be accepted.
const BACKLOG: i32 = 1_024;
/// Size of the kernel's send buffer for a peer that does not read. The kernel doubles the number.
/// Without this option the buffer could grow to 4 MiB per connection.
const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// Time after which the kernel closes a connection whose peer does not acknowledge sent data, or
/// keeps its TCP window closed.
const USER_TIMEOUT: Duration = Duration::from_secs(20);
/// Time of silence before the first TCP keep-alive probe.
const KEEPALIVE_IDLE: Duration = Duration::from_mins(1);
/// Time between two TCP keep-alive probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// Binds `address`; port 0 selects any free port.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Lets a new server bind the port immediately after the old server has ended.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Sets the options of an accepted connection. The options bound the memory of the connection, and
/// its lifetime after the peer has disappeared. If the kernel rejects an option, the connection
/// continues without that protection, and the error is logged.
pub(crate) fn bound(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL);
    for taken in [
        // Each write should be sent immediately.
        socket.set_tcp_nodelay(true),
        socket.set_send_buffer_size(SEND_BUFFER_BYTES),
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT)),
        socket.set_tcp_keepalive(&keepalive),
    ] {
        if let Err(error) = taken {
            tracing::debug!(%error, "the kernel rejected a socket option");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn every_connection_has_bounded_buffers_and_timeouts() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        accepted.set_nonblocking(true).unwrap();
        let stream = TcpStream::from_std(accepted).unwrap();
        bound(&stream);
        let socket = SockRef::from(&stream);
        // Linux doubles the requested size, for its own bookkeeping.
        assert!(socket.send_buffer_size().unwrap() <= 2 * SEND_BUFFER_BYTES);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
        assert!(socket.tcp_nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE_IDLE);
    }
}
