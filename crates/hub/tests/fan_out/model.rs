//! Random interleavings against a model: every cursor returns every event once and in order, waits
//! only if no event is available, and reads the store in bounded pages.

mod expectations;

use crate::faulty_log::FaultyLog;
use crate::one_thread::settled;
use crate::sample::{ENCODER, Wakes, memory_store};
use expectations::Model;
use northgate_domain::Position;
use northgate_hub::{Cursor, End, Frame, Hub, Step, WindowLimits, Worker};
use northgate_storage::{EventLog, Outcome, PAGE_EVENTS};
use northgate_testkit::say;
use proptest::prelude::*;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::runtime::Builder;
use tokio::task::{LocalSet, coop};
use tokio_util::sync::CancellationToken;

const WORKERS: usize = 2;

#[derive(Debug, Clone)]
enum Act {
    /// Appends one batch of texts with these lengths.
    Append(Vec<usize>),
    /// Lets the pump run.
    Pump,
    /// Lets one worker run.
    Refresh(usize),
    /// Creates a cursor of a worker, `below` events before the store's head.
    Come { worker: usize, below: u64 },
    /// Polls a cursor up to `times` times, while the cursor returns frames.
    Take { cursor: usize, times: usize },
    /// Drops a cursor.
    Go { cursor: usize },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => prop::collection::vec(1_usize..150, 0..7).prop_map(Act::Append),
        1 => (0_usize..300).prop_map(|count| Act::Append(vec![1; count])),
        3 => Just(Act::Pump),
        4 => (0..WORKERS).prop_map(Act::Refresh),
        2 => (0..WORKERS, prop_oneof![3 => 0_u64..12, 1 => 0_u64..600]).prop_map(|(worker, below)| Act::Come { worker, below }),
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
    fn cursors_return_all_events_in_order_unless_trimmed(
        limits in limits(),
        capacity in prop_oneof![3 => Just(1_000_000_usize), 1 => 1_usize..20, 1 => 1_usize..500],
        acts in acts(),
    ) {
        let runtime =
            Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        // The model decides when each task runs, so the runtime must not force tasks to yield.
        runtime.block_on(coop::unconstrained(async {
            let mut play = Play::new(limits, capacity);
            for act in acts {
                play.act(act).await;
                assert_eq!(play.hub.cursors(), play.connections.len());
            }
            play.drain().await;
        }));
    }
}

/// The hub with its store, pump, workers and cursors, and the model of them.
struct Play {
    store: Arc<FaultyLog>,
    hub: Hub,
    /// Polled only by this test.
    pump: Pin<Box<dyn Future<Output = ()>>>,
    workers: Vec<(LocalSet, Worker)>,
    connections: Vec<Connection>,
    model: Model,
}

struct Connection {
    cursor: Cursor,
    worker: usize,
    wakes: Arc<Wakes>,
    /// Offset of the last event that the cursor returned.
    after: u64,
    waits: Waits,
    /// Whether the cursor has stayed in the window since it was last at the window's head.
    follows: bool,
    ended: Option<End>,
}

/// Change for which a cursor waits since its last poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    Nothing,
    /// More events.
    Events,
    /// A read of the store.
    Read,
    /// No change: the read has finished, and the cursor can be polled.
    Answered,
}

impl Play {
    fn new(limits: WindowLimits, capacity: usize) -> Self {
        let store = Arc::new(FaultyLog::new(memory_store(capacity)));
        let (hub, pump) = Hub::new(store.clone(), limits, ENCODER);
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
            model: Model::new(limits, capacity),
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
        let texts = lengths.iter().map(|&length| say(&"x".repeat(length))).collect();
        for outcome in self.store.append(texts).await.unwrap() {
            let Outcome::Appended { event, .. } = outcome else { panic!("{outcome:?}") };
            self.model.sizes.push(Frame::encode(&event, ENCODER).held_bytes());
        }
    }

    fn pump(&mut self) {
        let pumped = self.hub.pumped();
        loop {
            let polled = self.pump.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
            if *pumped.borrow() == *self.store.head().borrow() {
                break;
            }
        }
        self.model.pump();
        // The reads so far were those of the pump: reset the counter.
        self.store.asked();
    }

    async fn refresh(&mut self, worker: usize) {
        let copied = std::mem::replace(&mut self.model.copied[worker], self.model.pumped);
        let news = self.model.draining || copied.head < self.model.pumped.head;
        let (thread, _) = &self.workers[worker];
        // Each read needs two iterations of the runtime.
        thread.run_until(settled()).await;
        let reading = self.connections.iter().filter(|one| one.waits == Waits::Read).count();
        assert!(self.store.asked() <= reading, "at most one read for each waiting cursor");
        for connection in &mut self.connections {
            let read = connection.waits == Waits::Read;
            let called = connection.waits == Waits::Events && news && connection.worker == worker;
            if !self.model.draining {
                assert_eq!(connection.wakes.taken(), usize::from(read) + usize::from(called));
            }
            if read {
                connection.waits = Waits::Answered;
            } else if called {
                connection.waits = Waits::Nothing;
            }
        }
    }

    fn come(&mut self, worker: usize, below: u64) {
        let head = self.workers[worker].1.head();
        assert_eq!(head.offset, self.model.sizes.len() as u64, "the worker's head is the store's");
        let after = head.offset.saturating_sub(below);
        let cursor = self.workers[worker].1.cursor(Position { offset: after, ..head });
        self.connections.push(Connection {
            cursor,
            worker,
            wakes: Arc::default(),
            after,
            waits: Waits::Nothing,
            follows: true,
            ended: None,
        });
    }

    /// Polls a cursor, and returns whether it may have more frames immediately.
    fn take(&mut self, cursor: usize) -> bool {
        let Self { connections, model, .. } = self;
        let connection = &mut connections[cursor];
        let waker = Waker::from(connection.wakes.clone());
        let step = connection.cursor.poll_next(&mut Context::from_waker(&waker));
        let (after, at_head) =
            (connection.after, model.is_at_head(connection.worker, connection.after));
        let in_window = at_head || model.window_holds(connection.worker, after);
        match step {
            Poll::Ready(Step::Frame(frame)) => {
                assert_eq!(connection.ended, None, "no frame follows the end");
                assert_eq!(frame.position().offset, after + 1);
                assert_eq!(frame.held_bytes(), model.size_after(after));
                connection.after += 1;
                connection.waits = Waits::Nothing;
                return true;
            }
            Poll::Ready(Step::End(end)) => {
                if connection.ended.is_none() {
                    let is_true = match end {
                        End::Drained { turn } => at_head && model.drains(turn),
                        End::TooFarBehind => after < model.trimmed() && !in_window,
                        End::Cut | End::Unavailable => false,
                    };
                    assert!(is_true, "{end:?} after {after}");
                }
                assert_eq!(*connection.ended.get_or_insert(end), end);
            }
            Poll::Pending if at_head => {
                assert!(!model.draining, "a draining cursor ends at the head");
                (connection.waits, connection.follows) = (Waits::Events, true);
            }
            Poll::Pending => {
                assert_ne!(
                    connection.waits,
                    Waits::Answered,
                    "every read returns an event or an end"
                );
                assert!(!(connection.follows && in_window), "the window retains the next event");
                (connection.waits, connection.follows) = (Waits::Read, false);
            }
            Poll::Ready(Step::Notice(notice)) => panic!("unrequested notice {notice:?}"),
        }
        false
    }

    /// Drains the hub: every cursor returns the events that the store retains, and ends.
    async fn drain(mut self) {
        self.pump();
        self.hub.drain();
        self.model.draining = true;
        for worker in 0..WORKERS {
            self.refresh(worker).await;
        }
        for cursor in 0..self.connections.len() {
            while self.connections[cursor].ended.is_none() {
                while self.take(cursor) {}
                self.refresh(self.connections[cursor].worker).await;
            }
            let Connection { ended, after, .. } = self.connections[cursor];
            if let Some(End::Drained { .. }) = ended {
                assert_eq!(after, self.model.head());
            }
        }
        assert!(self.store.most_events() <= PAGE_EVENTS, "no read requests more than a page");
    }
}
