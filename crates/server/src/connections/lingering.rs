//! Lingering close of a connection whose client may still send.
//!
//! If a socket is closed with unread bytes, the kernel resets the connection, and the client may
//! lose the answer (RFC 9112 section 9.6). So the server reads and discards these bytes for a short
//! time.

use actix_web::rt::net::TcpStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Time limit of the lingering close, in which the client can read its answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Upper bound of bytes that are read and discarded.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// State of the lingering close of one connection.
#[derive(Default)]
pub(super) struct Lingering {
    deadline: Option<Pin<Box<Sleep>>>,
    read: usize,
}

impl Lingering {
    /// Reads and discards bytes. Ready when the client has ended its half, the connection fails, or
    /// a limit is reached.
    pub(super) fn poll(&mut self, stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; 4 * 1024];
        loop {
            let mut unread = ReadBuf::new(&mut bytes);
            match Pin::new(&mut *stream).poll_read(cx, &mut unread) {
                Poll::Ready(Ok(())) if !unread.filled().is_empty() => {
                    self.read += unread.filled().len();
                    if self.read > MOST_BYTES {
                        return Poll::Ready(());
                    }
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        self.deadline.get_or_insert_with(|| Box::pin(sleep(PATIENCE))).as_mut().poll(cx)
    }
}
