//! One receiver thread: thousands of sockets behind one event loop and one read buffer.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};

use super::tally::{Ending, Endings, Tally, Watch};
use crate::clock::{self, Nanos};
use crate::connect::Opened;
use crate::frames;

/// Larger than any frame that a server with sane limits sends; a longer one is a breach.
const BUFFER: usize = 256 * 1024;
const WAKE: Token = Token(usize::MAX);

/// What the owner asks of the thread. When the owner goes, the thread ends.
pub(crate) enum Order {
    Watch(Box<Watch>),
    Conclude { answered: Arc<[u32]>, reply: Sender<(Tally, Endings)> },
}

/// What the owner may look at while the thread works.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) delivered: AtomicU64,
    pub(crate) ended: AtomicU64,
}

/// A socket costs the client this and a part of a frame.
struct Slot {
    /// Gone once the socket has ended.
    stream: Option<TcpStream>,
    /// The start of a frame whose rest has not come yet.
    carry: Vec<u8>,
    close_code: Option<u16>,
}

pub(crate) struct Reader {
    poll: Poll,
    slots: Vec<Slot>,
    buffer: Box<[u8]>,
    watch: Box<Watch>,
    endings: Endings,
    orders: Receiver<Order>,
    progress: Arc<Progress>,
}

impl Reader {
    /// Registers the sockets; frames that came with the upgrade are counted by `watch`.
    pub(crate) fn new(
        opened: Vec<Opened>,
        watch: Watch,
        orders: Receiver<Order>,
        progress: Arc<Progress>,
    ) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let slots = Vec::with_capacity(opened.len());
        let mut reader = Self {
            poll,
            slots,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            watch: Box::new(watch),
            endings: Endings::default(),
            orders,
            progress,
        };
        for Opened { stream, early } in opened {
            reader.adopt(stream, &early)?;
        }
        Ok((reader, waker))
    }

    fn adopt(&mut self, stream: std::net::TcpStream, early: &[u8]) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let index = self.slots.len();
        self.poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
        let mut slot = Slot { stream: Some(stream), carry: Vec::new(), close_code: None };
        let taken = take_frames(early, index, clock::now(), &mut slot, &mut self.watch);
        if let Err(error) = taken {
            self.endings.breach.get_or_insert(error);
        }
        self.slots.push(slot);
        Ok(())
    }

    /// Reads until the owner goes.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            for event in &events {
                if event.token() != WAKE {
                    self.read(event);
                } else if !self.obey() {
                    return Ok(());
                }
            }
            self.publish_progress();
        }
    }

    fn publish_progress(&self) {
        let Progress { delivered, ended } = &*self.progress;
        delivered.store(self.watch.delivered, Ordering::Relaxed);
        ended.store(self.endings.total(), Ordering::Relaxed);
    }

    /// Carries out what the owner asked; false once the owner is gone.
    fn obey(&mut self) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Watch(watch)) => self.watch = watch,
                Ok(Order::Conclude { answered, reply }) => {
                    self.publish_progress();
                    let told = (self.watch.conclude(&answered), self.endings.clone());
                    // An owner that stopped waiting has its own error to report.
                    let _gone = reply.send(told);
                }
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// Reads what one socket has. A short read has drained it, so one system call is the rule; only
    /// the end of the stream, of which epoll tells once, is read up to.
    fn read(&mut self, event: &Event) {
        let Token(index) = event.token();
        let to_the_end = event.is_read_closed() || event.is_error();
        loop {
            match self.read_once(index) {
                Ok(Some(full)) if full || to_the_end => {}
                Ok(_) => return,
                Err(ending) => {
                    self.end(index, ending);
                    return;
                }
            }
        }
    }

    /// One read(2): whether it filled the buffer, or `None` if nothing was there.
    fn read_once(&mut self, index: usize) -> Result<Option<bool>, Ending> {
        let Some(slot) = self.slots.get_mut(index) else {
            return Ok(None);
        };
        let Some(stream) = slot.stream.as_mut() else {
            return Ok(None);
        };
        let held = slot.carry.len();
        let Some((front, room)) = self.buffer.split_at_mut_checked(held) else {
            return Err(Ending::Broken);
        };
        front.copy_from_slice(&slot.carry);
        let read = match stream.read(room) {
            Ok(0) => return Err(slot.close_code.map_or(Ending::Cut, Ending::Closed)),
            Ok(read) => read,
            Err(error) => return not_now(&error, slot.close_code),
        };
        let full = read == room.len();
        let filled = self.buffer.get(..held + read).unwrap_or_default();
        if full && held == BUFFER {
            return Err(Ending::Broken);
        }
        take_frames(filled, index, clock::now(), slot, &mut self.watch).map_err(|error| {
            self.endings.breach.get_or_insert(error);
            Ending::Broken
        })?;
        Ok(Some(full))
    }

    fn end(&mut self, index: usize, ending: Ending) {
        if let Some(slot) = self.slots.get_mut(index) {
            slot.stream = None;
            slot.carry = Vec::new();
            self.endings.note(ending, clock::now());
        }
    }
}

/// An error of read(2): nothing there, or how the socket ended.
fn not_now(error: &io::Error, close_code: Option<u16>) -> Result<Option<bool>, Ending> {
    match error.kind() {
        io::ErrorKind::WouldBlock => Ok(None),
        io::ErrorKind::Interrupted => Ok(Some(true)),
        // The server may be gone before our echo of its Close arrives: that is a proper end too.
        _ => Err(close_code.map_or(Ending::Reset, Ending::Closed)),
    }
}

/// Takes all whole frames and carries the rest over.
fn take_frames(
    bytes: &[u8],
    index: usize,
    at: Nanos,
    slot: &mut Slot,
    watch: &mut Watch,
) -> Result<(), frames::FrameError> {
    let mut rest = bytes;
    while let Some((frame, after)) = frames::split(rest)? {
        rest = after;
        match frame.opcode {
            frames::TEXT => watch.observe(index, frame.payload, at),
            frames::PING => answer(slot, &frames::pong(frame.payload)),
            frames::CLOSE => {
                slot.close_code = Some(frames::close_code(frame.payload));
                answer(slot, &frames::close(frame.payload));
            }
            _ => {}
        }
    }
    slot.carry.clear();
    slot.carry.extend_from_slice(rest);
    Ok(())
}

/// Sends a control frame. Should it fail, the next read says how the socket ended.
fn answer(slot: &mut Slot, frame: &[u8]) {
    if let Some(stream) = slot.stream.as_mut() {
        let _seen_by_read = stream.write(frame);
    }
}
