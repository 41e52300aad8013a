//! A connection's stream that hands over one request at a time: the next one follows when the last
//! answer was written.
//!
//! The HTTP library decodes every request that it can read, thousands from one buffer, and keeps
//! each of them as a value of some KiB until its turn comes; and it frames an answer by the request
//! that was decoded last.

use super::framing::Framing;
use actix_web::rt::net::TcpStream;
use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes that are taken of a client that sends before it was answered. The kernel keeps the
/// rest.
const HELD_BYTES: usize = 4 * 1024;

/// What the stream of a connection and its future tell each other.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    /// How many answers have ended.
    answered: Cell<u64>,
    /// Whether the stream holds bytes of the next request, or the end of the stream.
    holds: Cell<bool>,
    /// Whether the answer under way is one without an end, such as server-sent events.
    is_endless: Cell<bool>,
}

impl Exchange {
    /// Notes that the answer under way has no end by itself.
    pub(crate) fn begin_endless(&self) {
        self.is_endless.set(true);
    }

    /// Counts answers that have ended. Returns whether the stream has something to hand over now.
    pub(crate) fn answered(&self, count: u64) -> bool {
        self.answered.set(self.answered.get() + count);
        count > 0 && self.holds.get()
    }
}

/// A stream that belongs to one connection.
pub(crate) struct RequestStream {
    inner: TcpStream,
    framing: Framing,
    exchange: Rc<Exchange>,
    /// Requests that were handed over whole.
    handed_over: u64,
    /// What came behind the last of them.
    held: Vec<u8>,
    has_ended: bool,
    /// Called when bytes are handed over.
    on_read: fn(),
}

impl RequestStream {
    pub(crate) fn new(inner: TcpStream, exchange: Rc<Exchange>, on_read: fn()) -> Self {
        Self {
            inner,
            framing: Framing::default(),
            exchange,
            handed_over: 0,
            held: Vec::new(),
            has_ended: false,
            on_read,
        }
    }

    fn is_answered(&self) -> bool {
        self.handed_over <= self.exchange.answered.get()
    }

    /// Reads ahead while an answer is under way: only so can the end of the client be noticed.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.held.len() < HELD_BYTES && !self.has_ended {
            let mut ahead = [0; 512];
            let mut ahead = ReadBuf::new(&mut ahead);
            let polled = Pin::new(&mut self.inner).poll_read(cx, &mut ahead);
            if polled.is_pending() {
                break;
            }
            ready!(polled)?;
            self.has_ended = ahead.filled().is_empty();
            self.held.extend_from_slice(ahead.filled());
        }
        self.exchange.holds.set(self.has_ended || !self.held.is_empty());
        // A client that has gone is told at once. One that has sent more gets it answered first, but
        // behind an answer without an end nothing will be: who goes on talking is as good as gone.
        let is_gone = self.has_ended && self.held.is_empty();
        let is_pointless = self.has_ended || self.held.len() >= HELD_BYTES;
        if is_gone || (is_pointless && self.exchange.is_endless.get()) {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }

    /// Hands over what belongs to the present request of the bytes from `before` on, and holds the
    /// rest.
    fn hand_over(&mut self, into: &mut ReadBuf<'_>, before: usize) {
        let new = into.filled().get(before..).unwrap_or_default();
        let (taken, is_whole) = self.framing.take(new);
        if let Some(rest) = new.get(taken..).filter(|rest| !rest.is_empty()) {
            self.held.splice(0..0, rest.iter().copied());
        }
        into.set_filled(before + taken);
        self.handed_over += u64::from(is_whole);
        self.exchange.holds.set(self.has_ended || !self.held.is_empty());
        if taken > 0 {
            (self.on_read)();
        }
    }
}

impl AsyncRead for RequestStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.is_answered() {
            return this.poll_ahead(cx);
        }
        let before = into.filled().len();
        if this.held.is_empty() {
            if !this.has_ended {
                ready!(Pin::new(&mut this.inner).poll_read(cx, into))?;
            }
        } else {
            let count = this.held.len().min(into.remaining());
            into.put_slice(this.held.get(..count).unwrap_or_default());
            this.held.drain(..count);
        }
        this.hand_over(into, before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for RequestStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
