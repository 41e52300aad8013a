//! The end of a connection whose client may still send.
//!
//! A socket that is closed with bytes that nobody has read resets the connection, and with that the
//! client loses what it was answered (RFC 9112 section 9.6). So these bytes are read for a moment.

use actix_web::rt::net::TcpStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long a client has to take its answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most that is read meanwhile.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// What is read after the end; nothing before.
#[derive(Default)]
pub(super) struct Lingering {
    deadline: Option<Pin<Box<Sleep>>>,
    read: usize,
}

impl Lingering {
    /// Ready when the client has ended its half, or has had its time.
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
