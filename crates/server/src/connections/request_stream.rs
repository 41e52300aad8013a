//! The stream of a connection. The stream passes a request to the HTTP library only after the
//! previous answer is complete.
//!
//! Without this delay, the HTTP library would decode all requests that it can read, thousands from
//! one buffer, and use some KiB of memory for each. The library would also choose the framing of an
//! answer by the last decoded request instead of the answered one. The library receives only
//! complete heads, which [`super::head`] has checked and, if necessary, rewritten.

use super::framing::{Framing, Taken};
use super::head::{Head, MAX_HEAD_BYTES, check_beginning, end_of_head};
use super::head_room::HeadRoom;
use super::lingering::Lingering;
use actix_web::rt::net::TcpStream;
use northgate_api::HeadError;
use northgate_api::middlewares::Invitation;
use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Upper bound of bytes that the stream reads beyond the current request before the answer is
/// complete. Further bytes stay in the kernel's buffer.
const HELD_BYTES: usize = 4 * 1024;
/// Upper bound of bytes of a head whose connection stays open after the answer. After a larger head
/// the connection closes, because the HTTP library frees the buffer of a head only at the end of
/// the connection.
const LAST_HEAD_BYTES: usize = 32 * 1024;

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// State that the stream of a connection shares with the connection's future.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    /// Number of complete answers.
    answered: Cell<u64>,
    /// Whether the stream has read bytes of the next request, or the end of the client's half.
    holds: Cell<bool>,
    /// Whether the current answer has no end, such as server-sent events.
    is_endless: Cell<bool>,
    /// Whether the current request is the last one of the connection.
    is_last: Cell<bool>,
    /// Whether a part of a head has arrived, but not the complete head.
    is_in_head: Cell<bool>,
    /// Reason why the stream refuses the current head and all later requests.
    refused: Cell<Option<HeadError>>,
}

impl Exchange {
    /// Records that the current answer has no end.
    pub(crate) fn begin_endless(&self) {
        self.is_endless.set(true);
    }

    /// Adds `count` complete answers. Returns whether the stream must be polled again, because it
    /// can now pass on bytes or must end.
    pub(crate) fn answered(&self, count: u64) -> bool {
        self.answered.set(self.answered.get() + count);
        count > 0 && (self.holds.get() || self.is_last.get())
    }

    /// Whether the current request is the last one of the connection.
    pub(crate) fn is_last(&self) -> bool {
        self.is_last.get()
    }

    /// Records that the connection ends after the answer to the current request.
    pub(crate) fn end_with_this(&self) {
        self.is_last.set(true);
    }

    /// Whether a part of a head has arrived, but not the complete head.
    pub(crate) fn is_in_head(&self) -> bool {
        self.is_in_head.get()
    }

    /// Refuses the current head: the stream sends an error answer and ends.
    pub(crate) fn refuse(&self, error: HeadError) {
        self.refused.set(Some(error));
    }
}

/// The stream of one connection.
pub(crate) struct RequestStream {
    inner: TcpStream,
    framing: Framing,
    exchange: Rc<Exchange>,
    invitation: Invitation,
    /// Number of requests that have begun.
    begun: u64,
    /// Number of requests that were passed on completely.
    handed_over: u64,
    /// The part of a head that has arrived.
    head: Vec<u8>,
    room: HeadRoom,
    /// Unread rest of a complete head, which is passed on before any other bytes.
    ready: Vec<u8>,
    /// Bytes that arrived after the end of the current request.
    held: Vec<u8>,
    has_ended: bool,
    /// Number of bytes of `100 Continue` that were sent.
    invited: usize,
    /// Unsent bytes of the answer to a refused head.
    refusal: Option<Vec<u8>>,
    lingering: Lingering,
    make_refusal: MakeRefusal,
}

/// Builds the answer to a refused head.
pub(crate) type MakeRefusal = fn(HeadError) -> Vec<u8>;

impl RequestStream {
    pub(crate) fn new(inner: TcpStream, exchange: Rc<Exchange>, make_refusal: MakeRefusal) -> Self {
        Self {
            inner,
            framing: Framing::default(),
            exchange,
            invitation: Invitation::default(),
            begun: 0,
            handed_over: 0,
            head: Vec::new(),
            room: HeadRoom::default(),
            ready: Vec::new(),
            held: Vec::new(),
            has_ended: false,
            invited: 0,
            refusal: None,
            lingering: Lingering::default(),
            make_refusal,
        }
    }

    /// Returns the state that is shared with the connection's future.
    pub(crate) fn exchange(&self) -> Rc<Exchange> {
        self.exchange.clone()
    }

    /// Returns the state that is shared with the request bodies of this connection.
    pub(crate) fn invitation(&self) -> Invitation {
        self.invitation.clone()
    }

    /// Returns the address of this machine to which the client has connected.
    pub(crate) fn local_address(&self) -> Option<IpAddr> {
        self.inner.local_addr().ok().map(|address| address.ip())
    }

    fn is_answered(&self) -> bool {
        self.handed_over <= self.exchange.answered.get()
    }

    /// Reads ahead while an answer is being sent, so that the server notices when the client of an
    /// endless answer disconnects. If the answer has an end, a client that has ended its half still
    /// receives the complete answer.
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
        // A request that follows an endless answer would never be answered. So the connection ends
        // when the client has sent too many bytes or has ended its half.
        if self.exchange.is_endless.get() && (self.has_ended || self.held.len() >= HELD_BYTES) {
            return Poll::Ready(Err(ErrorKind::ConnectionAborted.into()));
        }
        Poll::Pending
    }

    /// Handles the new bytes in `into`, which begin at `before`. The bytes that may be passed on
    /// stay in `into`. The other bytes are moved into the buffers of this stream.
    fn take_in(&mut self, into: &mut ReadBuf<'_>, before: usize) -> Result<(), HeadError> {
        let kept = match self.framing {
            Framing::Head => self.take_head(into, before)?,
            _ => self.take_body(into, before),
        };
        into.set_filled(before + kept);
        self.exchange.is_in_head.set(!self.head.is_empty());
        self.exchange.holds.set(self.has_ended || !self.held.is_empty());
        Ok(())
    }

    /// Handles new bytes after a head. Returns how many of them may be passed on.
    fn take_body(&mut self, into: &ReadBuf<'_>, before: usize) -> usize {
        let new = into.filled().get(before..).unwrap_or_default();
        if !new.is_empty() {
            self.invitation.settle();
        }
        let Taken { bytes, is_whole } = self.framing.take(new);
        self.hold(new.get(bytes..).unwrap_or_default());
        self.handed_over += u64::from(is_whole);
        bytes
    }

    /// Handles new bytes of a head. Returns how many of them may be passed on directly; 0 if the
    /// head is incomplete or was moved to `ready`.
    fn take_head(&mut self, into: &mut ReadBuf<'_>, before: usize) -> Result<usize, HeadError> {
        let new = into.filled().get(before..).unwrap_or_default();
        // Empty lines before a request are skipped (RFC 9112 section 2.2).
        let blank = new.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let new = if self.head.is_empty() { new.get(blank..).unwrap_or_default() } else { new };
        if self.head.is_empty() {
            check_beginning(new)?;
            if let Some(end) = end_of_head(new, 0) {
                let (head, rest) = new.split_at(end);
                let is_as_it_came = new.len() == into.filled().len() - before;
                let (kept, is_handed_over) = self.begin_request(head, is_as_it_came)?;
                self.hold(rest);
                return Ok(if is_handed_over { kept } else { 0 });
            }
        }
        let searched = self.head.len().saturating_sub(3);
        if !self.room.reserve(self.head.len() + new.len()) {
            return Err(HeadError::NoRoom);
        }
        self.head.extend_from_slice(new);
        let Some(end) = end_of_head(&self.head, searched) else {
            if self.head.len() > MAX_HEAD_BYTES {
                return Err(HeadError::TooLarge { limit: MAX_HEAD_BYTES });
            }
            return Ok(0);
        };
        let mut head = std::mem::take(&mut self.head);
        let rest = head.split_off(end);
        self.begin_request(&head, false)?;
        self.hold(&rest);
        Ok(0)
    }

    /// Begins a request. If `in_place` is true and the head is not rewritten, the head is passed on
    /// in the caller's buffer. Otherwise it is queued in `ready`. Returns the length of the head,
    /// and whether it is passed on in the buffer.
    fn begin_request(&mut self, head: &[u8], in_place: bool) -> Result<(usize, bool), HeadError> {
        if head.len() > MAX_HEAD_BYTES {
            return Err(HeadError::TooLarge { limit: MAX_HEAD_BYTES });
        }
        if !self.room.reserve(head.len()) {
            return Err(HeadError::NoRoom);
        }
        let said = Head::parse(head)?;
        self.handed_over += u64::from(self.framing.begin(said.framing));
        self.begun += 1;
        self.exchange.is_last.set(said.is_last || head.len() > LAST_HEAD_BYTES);
        self.invited = 0;
        if said.awaits_continue {
            self.invitation.begin();
        } else {
            self.invitation.settle();
        }
        let is_handed_over = in_place && said.rewritten.is_none();
        if !is_handed_over {
            self.ready = said.rewritten.unwrap_or_else(|| head.to_vec());
        }
        Ok((head.len(), is_handed_over))
    }

    fn hold(&mut self, rest: &[u8]) {
        if !rest.is_empty() {
            self.held.splice(0..0, rest.iter().copied());
        }
    }

    /// Whether the last answer of the connection is complete.
    fn is_over(&self) -> bool {
        self.exchange.is_last.get() && self.begun <= self.exchange.answered.get()
    }

    /// Whether the client may have sent bytes that the server has not read. If the socket were
    /// closed immediately, the connection could be reset and the client could lose its answer.
    fn is_unread(&self) -> bool {
        !self.has_ended
            && (self.refusal.is_some()
                || self.exchange.is_last.get()
                || !self.held.is_empty()
                || !matches!(self.framing, Framing::Head | Framing::Opaque))
    }

    /// Writes the answer to a refused head.
    fn poll_refusal(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(answer) = self.refusal.as_mut().filter(|answer| !answer.is_empty()) {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, answer))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            answer.drain(..written);
        }
        Poll::Ready(Ok(()))
    }

    /// Sends `100 Continue` if the client waits for it and a handler wants to read the body. Must
    /// be called when all earlier bytes are written.
    fn poll_invitation(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.invited == 0 && !self.invitation.is_wanted() {
            return Poll::Ready(Ok(()));
        }
        self.invitation.settle();
        while let Some(left) = CONTINUE.get(self.invited..).filter(|left| !left.is_empty()) {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, left))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.invited += written;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for RequestStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = into.filled().len();
        loop {
            if let Some(error) = this.exchange.refused.take() {
                this.refusal = Some((this.make_refusal)(error));
            }
            // Nothing more is read. `poll_shutdown` sends the refusal, after the bytes of all
            // earlier answers.
            if this.refusal.is_some() {
                return Poll::Ready(Ok(()));
            }
            if !this.ready.is_empty() {
                let count = this.ready.len().min(into.remaining());
                into.put_slice(this.ready.get(..count).unwrap_or_default());
                this.ready.drain(..count);
                return Poll::Ready(Ok(()));
            }
            if matches!(this.framing, Framing::Broken) || this.is_over() {
                return Poll::Ready(Ok(()));
            }
            if !this.is_answered() {
                return this.poll_ahead(cx);
            }
            if !this.held.is_empty() {
                let count = this.held.len().min(into.remaining());
                into.put_slice(this.held.get(..count).unwrap_or_default());
                this.held.drain(..count);
            } else if this.has_ended {
                if this.head.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                this.head.clear();
                this.exchange.refuse(HeadError::Malformed("the head is incomplete"));
                continue;
            } else {
                ready!(Pin::new(&mut this.inner).poll_read(cx, into))?;
                this.has_ended = into.filled().len() == before;
            }
            if let Err(error) = this.take_in(into, before) {
                into.set_filled(before);
                this.exchange.refuse(error);
            } else if into.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for RequestStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.invited > 0 {
            // A `100 Continue` that was partly sent must be completed first.
            ready!(self.poll_invitation(cx))?;
        }
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    /// The HTTP library calls this method when it has written all its bytes.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_invitation(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.poll_refusal(cx))?;
        ready!(Pin::new(&mut this.inner).poll_shutdown(cx))?;
        if this.is_unread() {
            ready!(this.lingering.poll(&mut this.inner, cx));
        }
        Poll::Ready(Ok(()))
    }
}
