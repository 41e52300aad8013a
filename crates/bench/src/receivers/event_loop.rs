//! One receiver thread: thousands of sockets with one event loop and one read buffer.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};

use super::socket::ReceiverSocket;
use super::stats::{DeliveryRecorder, DeliveryStats, Ending, Endings, ProtocolError};
use crate::clock;
use crate::connect::OpenConnection;

/// Size of the read buffer, larger than any frame that a server with usual limits sends. A longer
/// frame is an error.
const BUFFER_BYTES: usize = 256 * 1024;
const WAKE: Token = Token(usize::MAX);

/// A command of the owner. The thread ends when the owner is dropped.
pub(crate) enum ReceiverCommand {
    Record(Box<DeliveryRecorder>),
    Conclude { answered: Arc<[u32]>, reply: Sender<(DeliveryStats, Endings)> },
}

/// Counters that the owner reads while the thread runs.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) delivered: AtomicU64,
    pub(crate) ended: AtomicU64,
}

/// The result of one read(2).
enum ReadStatus {
    Empty,
    /// The socket is drained, but the end of its stream may follow.
    Short,
    /// More bytes may be available.
    Full,
}

pub(crate) struct EventLoop {
    poll: Poll,
    sockets: Vec<ReceiverSocket>,
    buffer: Box<[u8]>,
    recorder: Box<DeliveryRecorder>,
    endings: Endings,
    commands: Receiver<ReceiverCommand>,
    progress: Arc<Progress>,
}

impl EventLoop {
    /// Registers the sockets. `recorder` also counts the frames that arrived together with the
    /// answer to the upgrade.
    pub(crate) fn new(
        opened: Vec<OpenConnection>,
        recorder: DeliveryRecorder,
        commands: Receiver<ReceiverCommand>,
        progress: Arc<Progress>,
    ) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let sockets = Vec::with_capacity(opened.len());
        let mut event_loop = Self {
            poll,
            sockets,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            recorder: Box::new(recorder),
            endings: Endings::default(),
            commands,
            progress,
        };
        for connection in opened {
            event_loop.adopt(connection)?;
        }
        Ok((event_loop, waker))
    }

    fn adopt(&mut self, connection: OpenConnection) -> io::Result<()> {
        let OpenConnection { stream, early, protocol } = connection;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let index = self.sockets.len();
        self.poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
        let mut socket = ReceiverSocket::new(Some(stream), protocol);
        let taken = socket.take(&early, &mut self.recorder.at(index, clock::now()));
        if let Err(error) = taken {
            self.endings.first_error.get_or_insert(error);
        }
        self.sockets.push(socket);
        Ok(())
    }

    /// Runs until the owner is dropped.
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
                } else if !self.carry_out_commands() {
                    return Ok(());
                }
            }
            self.publish_progress();
        }
    }

    fn publish_progress(&self) {
        let Progress { delivered, ended } = &*self.progress;
        delivered.store(self.recorder.delivered(), Ordering::Relaxed);
        ended.store(self.endings.total(), Ordering::Relaxed);
    }

    /// Performs the owner's commands; returns false when the owner is dropped.
    fn carry_out_commands(&mut self) -> bool {
        loop {
            match self.commands.try_recv() {
                Ok(ReceiverCommand::Record(recorder)) => self.recorder = recorder,
                Ok(ReceiverCommand::Conclude { answered, reply }) => {
                    self.publish_progress();
                    let result = (self.recorder.conclude(&answered), self.endings.clone());
                    // An error means that the owner no longer waits. The owner then reports its own
                    // error.
                    let _gone = reply.send(result);
                }
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// Reads the available bytes of one socket. After a short read the socket is empty, so one
    /// system call usually suffices. A socket whose peer has closed is read to its end, because
    /// epoll reports the end only once.
    fn read(&mut self, event: &Event) {
        let Token(index) = event.token();
        let to_the_end = event.is_read_closed() || event.is_error();
        loop {
            match self.read_once(index) {
                Ok(ReadStatus::Full) => {}
                Ok(ReadStatus::Short) if to_the_end => {}
                Ok(ReadStatus::Short | ReadStatus::Empty) => return,
                Err(ending) => {
                    self.end(index, ending);
                    return;
                }
            }
        }
    }

    /// Performs one read(2) and counts all events in its bytes.
    fn read_once(&mut self, index: usize) -> Result<ReadStatus, Ending> {
        let Some(socket) = self.sockets.get_mut(index) else {
            return Ok(ReadStatus::Empty);
        };
        let Some(stream) = socket.stream.as_mut() else {
            return Ok(ReadStatus::Empty);
        };
        let carried = socket.carry.len();
        let Some((front, room)) = self.buffer.split_at_mut_checked(carried) else {
            return Err(broken(&mut self.endings, ProtocolError::TooLong));
        };
        if room.is_empty() {
            return Err(broken(&mut self.endings, ProtocolError::TooLong));
        }
        front.copy_from_slice(&socket.carry);
        let read = match stream.read(room) {
            Ok(0) => return Err(socket.ending(Ending::Cut)),
            Ok(read) => read,
            Err(error) => {
                return match error.kind() {
                    io::ErrorKind::WouldBlock => Ok(ReadStatus::Empty),
                    io::ErrorKind::Interrupted => Ok(ReadStatus::Full),
                    _ => Err(socket.ending(Ending::Reset)),
                };
            }
        };
        let status = if read == room.len() { ReadStatus::Full } else { ReadStatus::Short };
        let filled = self.buffer.get(..carried + read).unwrap_or_default();
        match socket.take(filled, &mut self.recorder.at(index, clock::now())) {
            Ok(()) => Ok(status),
            Err(error) => Err(broken(&mut self.endings, error)),
        }
    }

    fn end(&mut self, index: usize, ending: Ending) {
        if let Some(socket) = self.sockets.get_mut(index) {
            socket.stream = None;
            socket.carry = Vec::new();
            self.endings.count(ending, clock::now());
        }
    }
}

/// Stores the first protocol error for the report. Returns the ending of the socket.
fn broken(endings: &mut Endings, error: ProtocolError) -> Ending {
    endings.first_error.get_or_insert(error);
    Ending::Broken
}
