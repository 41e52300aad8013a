//! Random interleavings against a model: what each cursor gives follows from what the pump has
//! pumped, what its worker has copied of that, and the window's limits, and from nothing else.

use crate::sample::{Wakes, chat, memory_store};
use northgate_domain::Position;
use northgate_hub::{Cursor, End, Frame, Hub, Step, WindowLimits, Worker};
use northgate_storage::{EventStore, MemoryStore, Outcome};
use proptest::prelude::*;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::runtime::Builder;
use tokio::task::{LocalSet, coop, yield_now};
use tokio_util::sync::CancellationToken;

const WORKERS: usize = 2;

#[derive(Debug, Clone)]
enum Act {
    /// Appends one vector of texts of these lengths.
    Append(Vec<usize>),
    /// Lets the pump run.
    Pump,
    /// Lets one worker run.
    Refresh(usize),
    /// Makes a cursor of a worker so many events below the store's head.
    Come { worker: usize, below: u64 },
    /// Polls a cursor so many times.
    Take { cursor: usize, times: usize },
    /// Drops a cursor.
    Go { cursor: usize },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => prop::collection::vec(1_usize..150, 0..7).prop_map(Act::Append),
        3 => Just(Act::Pump),
        4 => (0..WORKERS).prop_map(Act::Refresh),
        2 => (0..WORKERS, 0_u64..12).prop_map(|(worker, below)| Act::Come { worker, below }),
        6 => (0_usize..8, 1_usize..6).prop_map(|(cursor, times)| Act::Take { cursor, times }),
        1 => (0_usize..8).prop_map(|cursor| Act::Go { cursor }),
    ];
    prop::collection::vec(act, 0..80)
}

fn limits() -> impl Strategy<Value = WindowLimits> {
    let bytes = prop_oneof![Just(usize::MAX), 0_usize..3_000];
    (0_usize..9, bytes).prop_map(|(frames, bytes)| WindowLimits { frames, bytes })
}

proptest! {
    #[test]
    fn cursors_give_what_their_worker_holds_and_end_only_when_it_does_not(
        limits in limits(),
        capacity in prop_oneof![2 => Just(10_000_usize), 1 => 1_usize..20],
        acts in acts(),
    ) {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut play = Play::new(limits, capacity);
            for act in acts {
                play.act(act).await;
                assert_eq!(play.hub.cursors(), play.connections.len());
            }
            play.drain().await;
        });
    }
}

/// The hub with everything that moves it, and the model beside it.
struct Play {
    store: Arc<MemoryStore>,
    hub: Hub,
    /// Polled by hand; nothing else lets the pump run.
    pump: Pin<Box<dyn Future<Output = ()>>>,
    workers: Vec<(LocalSet, Worker)>,
    connections: Vec<Connection>,
    model: Model,
}

struct Connection {
    cursor: Cursor,
    worker: usize,
    wakes: Arc<Wakes>,
    /// What the model says of the cursor: where it stands, and whether it waits.
    after: u64,
    parked: bool,
}

struct Model {
    limits: WindowLimits,
    /// How many events the store holds.
    capacity: usize,
    /// The frame sizes of all events appended, the first one's at index 0.
    sizes: Vec<usize>,
    pumped: Log,
    /// What each worker has copied of it.
    copied: [Log; WORKERS],
    draining: bool,
}

/// The offsets of a frame log, as if nothing had ever left it.
#[derive(Clone, Copy, Default)]
struct Log {
    /// The newest one.
    head: u64,
    /// Where it began anew because the store had trimmed what came next.
    restarted: u64,
}

impl Play {
    fn new(limits: WindowLimits, capacity: usize) -> Self {
        let store = Arc::new(memory_store(capacity));
        let (hub, pump) = Hub::new(store.clone(), limits);
        let new_worker = |_| {
            let thread = LocalSet::new();
            let worker = {
                let _on_it = thread.enter();
                hub.worker()
            };
            (thread, worker)
        };
        Self {
            workers: (0..WORKERS).map(new_worker).collect(),
            pump: Box::pin(coop::unconstrained(pump.run(CancellationToken::new()))),
            store,
            hub,
            connections: Vec::new(),
            model: Model {
                limits,
                capacity,
                sizes: Vec::new(),
                pumped: Log::default(),
                copied: [Log::default(); WORKERS],
                draining: false,
            },
        }
    }

    async fn act(&mut self, act: Act) {
        let chosen = |cursor: usize| cursor.checked_rem(self.connections.len());
        match act {
            Act::Append(lengths) => self.append(&lengths).await,
            Act::Pump => self.pump(),
            Act::Refresh(worker) => self.refresh(worker).await,
            Act::Come { worker, below } => self.come(worker, below),
            Act::Take { cursor, times } => {
                if let Some(cursor) = chosen(cursor) {
                    let mut more = true;
                    for _ in 0..times {
                        more = more && self.take(cursor);
                    }
                }
            }
            Act::Go { cursor } => {
                if let Some(cursor) = chosen(cursor) {
                    self.connections.swap_remove(cursor);
                }
            }
        }
    }

    async fn append(&mut self, lengths: &[usize]) {
        let texts = lengths.iter().map(|&length| chat(&"x".repeat(length))).collect();
        for outcome in self.store.append(texts).await.unwrap() {
            let Outcome::Appended(event) = outcome else { panic!("{outcome:?}") };
            self.model.sizes.push(Frame::encode(&event).websocket().len());
        }
    }

    fn pump(&mut self) {
        assert!(self.pump.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        self.model.pump();
    }

    async fn refresh(&mut self, worker: usize) {
        let copied = std::mem::replace(&mut self.model.copied[worker], self.model.pumped);
        let news = self.model.draining || copied.head < self.model.pumped.head;
        let (thread, _) = &self.workers[worker];
        thread.run_until(yield_now()).await;
        for connection in self.connections.iter_mut().filter(|c| c.worker == worker) {
            let woken = connection.parked && news;
            assert_eq!(connection.wakes.taken(), usize::from(woken));
            connection.parked &= !woken;
        }
    }

    fn come(&mut self, worker: usize, below: u64) {
        let head = self.workers[worker].1.head();
        assert_eq!(head.offset, self.model.sizes.len() as u64, "the head is the store's");
        let after = head.offset.saturating_sub(below);
        let cursor = self.workers[worker].1.cursor(Position { offset: after, ..head });
        let connection = Connection { cursor, worker, wakes: Arc::default(), after, parked: false };
        self.connections.push(connection);
    }

    /// Polls a cursor, and says whether it gave a frame.
    fn take(&mut self, cursor: usize) -> bool {
        let connection = &mut self.connections[cursor];
        let expected = self.model.next(connection.worker, connection.after);
        let waker = Waker::from(connection.wakes.clone());
        let step = connection.cursor.poll_next(&mut Context::from_waker(&waker));
        match (&step, expected) {
            (Poll::Ready(Step::Frame(frame)), Next::Frame { offset, size }) => {
                assert_eq!(frame.position().offset, offset);
                assert_eq!(frame.websocket().len(), size);
                connection.after = offset;
                return true;
            }
            (Poll::Pending, Next::Nothing) => connection.parked = true,
            (Poll::Ready(Step::End(end)), Next::End(expected)) => assert_eq!(*end, expected),
            (step, expected) => panic!("{step:?} where the model says {expected:?}"),
        }
        false
    }

    /// In the end every cursor gives what its window still holds, and ends.
    async fn drain(mut self) {
        self.pump();
        self.hub.drain();
        self.model.draining = true;
        for worker in 0..WORKERS {
            self.refresh(worker).await;
        }
        for cursor in 0..self.connections.len() {
            while self.take(cursor) {}
            assert!(!self.connections[cursor].parked, "a draining cursor does not wait");
        }
    }
}

/// What a cursor gives, according to the model.
#[derive(Debug)]
enum Next {
    Frame { offset: u64, size: usize },
    Nothing,
    End(End),
}

impl Model {
    fn pump(&mut self) {
        let head = self.sizes.len() as u64;
        if head - self.pumped.head > self.capacity as u64 {
            self.pumped.restarted = head;
        }
        self.pumped.head = head;
    }

    fn next(&self, worker: usize, after: u64) -> Next {
        let Log { head, restarted } = self.copied[worker];
        if after >= head {
            return if self.draining { Next::End(End::Drained) } else { Next::Nothing };
        }
        let index = |offset| usize::try_from(offset).unwrap();
        let sizes = &self.sizes[index(after)..index(head)];
        let fits =
            sizes.len() <= self.limits.frames && sizes.iter().sum::<usize>() <= self.limits.bytes;
        // The newest frame is held in any case.
        if after >= restarted && (fits || sizes.len() == 1) {
            Next::Frame { offset: after + 1, size: sizes[0] }
        } else {
            Next::End(End::TooFarBehind)
        }
    }
}
