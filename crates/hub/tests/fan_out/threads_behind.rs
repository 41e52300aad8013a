//! Many threads together, with a window so small that every cursor repeatedly falls behind it.

use crate::faulty_log::{FaultyLog, Reads};
use crate::sample::{ENCODER, memory_store, next};
use crate::threads::wait_for;
use northgate_domain::Position;
use northgate_hub::{Cursor, End, Hub, Step, WindowLimits};
use northgate_storage::EventLog;
use northgate_testkit::say;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const WORKERS: u64 = 4;
const WRITERS: usize = 3;
/// Number of cursors of each worker, created one after the other while the log grows.
const ROUNDS: u64 = 25;
/// Number of batches of each writer.
const APPENDS: usize = 600;
/// Number of events before the first cursor is created.
const AT_FIRST: usize = 400;
/// Maximum number of reads at the same time: 32 cursors and the pump.
const READERS: usize = 32 + 1;
const TINY: WindowLimits = WindowLimits { frames: 3, bytes: usize::MAX };

/// Position where a cursor ended, and its turn.
type Ended = (Position, u64);

#[test]
fn cursors_behind_on_every_thread_return_each_event_once_in_order() {
    let store = Arc::new(FaultyLog::new(memory_store(1_000_000)));
    store.let_reads(Reads::Dawdle);
    let (hub, pump) = Hub::new(store.clone(), TINY, ENCODER);
    let stop = CancellationToken::new();
    let ended: Vec<Ended> = thread::scope(|scope| {
        let _stopped_in_any_case = stop.clone().drop_guard();
        scope.spawn(|| wait_for(pump.run(stop.clone())));
        wait_for(async { store.append(vec![say("What?"); AT_FIRST]).await.unwrap() });
        let (hub, store) = (&hub, store.as_ref());
        let readers: Vec<_> = (0..WORKERS)
            .map(|seed| scope.spawn(move || wait_for(come_again_and_again(hub, store, seed))))
            .collect();
        let writers: Vec<_> =
            (0..WRITERS).map(|_| scope.spawn(move || wait_for(write_along(store)))).collect();
        for writer in writers {
            writer.join().unwrap();
        }
        wait_for(hub.caught_up());
        hub.drain();
        readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect()
    });

    let head = *store.head().borrow();
    assert!(ended.iter().all(|(at, _)| *at == head), "every cursor returns all events, then ends");
    let turns: BTreeSet<_> = ended.iter().map(|(_, turn)| *turn).collect();
    assert_eq!(turns, (0..WORKERS * ROUNDS).collect());
    assert!((2..=READERS).contains(&store.most_at_once()), "{}", store.most_at_once());
    assert_eq!((hub.cursors(), store.under_way()), (0, 0));
}

async fn write_along(store: &dyn EventLog) {
    for n in 0..APPENDS {
        store.append(vec![say("What?"); n % 4]).await.unwrap();
        if n % 7 == 0 {
            thread::yield_now();
        }
    }
}

/// Creates cursors at many offsets of the growing log, and reads each to its end.
async fn come_again_and_again(hub: &Hub, store: &dyn EventLog, seed: u64) -> Vec<Ended> {
    let worker = hub.worker();
    let mut head = store.head();
    let mut readers = JoinSet::new();
    for round in 0..ROUNDS {
        let newest = *head.wait_for(|at| at.offset >= round * 100).await.unwrap();
        let offset = newest.offset * ((round * 7 + seed * 3) % 11) / 10;
        let after = Position { offset: offset.min(newest.offset), ..newest };
        readers.spawn_local(read_to_the_end(worker.cursor(after)));
    }
    readers.join_all().await
}

async fn read_to_the_end(mut cursor: Cursor) -> Ended {
    loop {
        let after = cursor.position();
        match next(&mut cursor).await {
            Step::Frame(frame) => assert_eq!(frame.position(), after.advanced_by(1)),
            Step::End(End::Drained { turn }) => return (cursor.position(), turn),
            step => panic!("{step:?}"),
        }
    }
}
