//! The listening socket, and what the kernel is told about every connection.

use actix_web::rt::net::TcpStream;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1_024;
/// What the kernel buffers for a peer that does not read (it doubles the number). Without a limit
/// it would be up to 4 MiB each.
const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// How long a peer may leave what it was sent unacknowledged, or its window closed, before the
/// kernel cuts it.
const USER_TIMEOUT: Duration = Duration::from_secs(20);
/// When a silent peer is first asked whether it is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_mins(1);
/// How often it is asked again.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// Binds `address`; port 0 takes any free one.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A port whose last server has just ended is free again at once.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Called for each accepted connection: bounds what it can hold, and for how long. An option that
/// the kernel does not take costs protection and not the connection, so it is only logged.
pub(crate) fn bound(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL);
    for taken in [
        // What is written at once is meant to go at once.
        socket.set_tcp_nodelay(true),
        socket.set_send_buffer_size(SEND_BUFFER_BYTES),
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT)),
        socket.set_tcp_keepalive(&keepalive),
    ] {
        if let Err(error) = taken {
            tracing::debug!(%error, "a socket option was not taken");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn every_connection_is_bounded_in_what_it_holds_and_for_how_long() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        accepted.set_nonblocking(true).unwrap();
        let stream = TcpStream::from_std(accepted).unwrap();
        bound(&stream);
        let socket = SockRef::from(&stream);
        // Linux doubles what it is asked for, to have room for its own.
        assert!(socket.send_buffer_size().unwrap() <= 2 * SEND_BUFFER_BYTES);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
        assert!(socket.tcp_nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE_IDLE);
    }
}
