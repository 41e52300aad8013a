//! One receiver thread: thousands of sockets behind one event loop and one read buffer.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};

use super::slot::{Breach, Slot};
use super::tally::{Ending, Endings, Tally, Watch};
use crate::clock;
use crate::connect::Opened;

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

/// What one read(2) tells of the next.
enum After {
    Nothing,
    /// The socket is drained, but its end may follow.
    Short,
    /// There may be more.
    Full,
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
        for connection in opened {
            reader.adopt(connection)?;
        }
        Ok((reader, waker))
    }

    fn adopt(&mut self, connection: Opened) -> io::Result<()> {
        let Opened { stream, early, protocol } = connection;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let index = self.slots.len();
        self.poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
        let mut slot = Slot::new(Some(stream), protocol);
        let taken = slot.take(&early, index, clock::now(), &mut self.watch);
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
                Ok(After::Full) => {}
                Ok(After::Short) if to_the_end => {}
                Ok(After::Short | After::Nothing) => return,
                Err(ending) => {
                    self.end(index, ending);
                    return;
                }
            }
        }
    }

    /// One read(2), and all that it brought.
    fn read_once(&mut self, index: usize) -> Result<After, Ending> {
        let Some(slot) = self.slots.get_mut(index) else {
            return Ok(After::Nothing);
        };
        let Some(stream) = slot.stream.as_mut() else {
            return Ok(After::Nothing);
        };
        let held = slot.carry.len();
        let Some((front, room)) = self.buffer.split_at_mut_checked(held) else {
            return Err(broken(&mut self.endings, Breach::TooLong));
        };
        if room.is_empty() {
            return Err(broken(&mut self.endings, Breach::TooLong));
        }
        front.copy_from_slice(&slot.carry);
        let read = match stream.read(room) {
            Ok(0) => return Err(slot.ending(Ending::Cut)),
            Ok(read) => read,
            Err(error) => {
                return match error.kind() {
                    io::ErrorKind::WouldBlock => Ok(After::Nothing),
                    io::ErrorKind::Interrupted => Ok(After::Full),
                    _ => Err(slot.ending(Ending::Reset)),
                };
            }
        };
        let after = if read == room.len() { After::Full } else { After::Short };
        let filled = self.buffer.get(..held + read).unwrap_or_default();
        match slot.take(filled, index, clock::now(), &mut self.watch) {
            Ok(()) => Ok(after),
            Err(breach) => Err(broken(&mut self.endings, breach)),
        }
    }

    fn end(&mut self, index: usize, ending: Ending) {
        if let Some(slot) = self.slots.get_mut(index) {
            slot.stream = None;
            slot.carry = Vec::new();
            self.endings.note(ending, clock::now());
        }
    }
}

/// Remembers the first breach, for the report.
fn broken(endings: &mut Endings, breach: Breach) -> Ending {
    endings.breach.get_or_insert(breach);
    Ending::Broken
}
