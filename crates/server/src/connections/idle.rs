//! Registry of a thread's connections. When few file descriptors are left, a new connection evicts
//! the connection that has been idle for the longest time.

use slab::Slab;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

/// Number of open connections of all threads.
static OPEN: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static PLACES: RefCell<Slab<Rc<Place>>> = const { RefCell::new(Slab::new()) };
    /// Number of times that a connection of this thread became idle. The counter orders idle times
    /// without a clock.
    static TICK: Cell<u64> = const { Cell::new(0) };
}

#[derive(Default)]
struct Place {
    /// Tick at which the connection became idle; `None` while a request is in progress.
    idle_since: Cell<Option<u64>>,
    is_evicted: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

/// Entry of a connection in the registry of its thread. Dropping it removes the entry.
pub(crate) struct Registration {
    key: usize,
    place: Rc<Place>,
}

impl Registration {
    /// Registers a connection. If `max_open` connections are already open, the connection of this
    /// thread with the longest idle time is evicted.
    pub(crate) fn new(max_open: u64) -> Self {
        if OPEN.fetch_add(1, Ordering::Relaxed) >= max_open {
            evict_longest_idle();
        }
        let place = Rc::new(Place::default());
        place.idle_since.set(Some(next_tick()));
        let key = PLACES.with_borrow_mut(|places| places.insert(place.clone()));
        Self { key, place }
    }

    /// Records whether the connection is idle, which means that no request is in progress.
    pub(crate) fn set_idle(&self, is_idle: bool) {
        if is_idle != self.place.idle_since.get().is_some() {
            self.place.idle_since.set(is_idle.then(next_tick));
        }
    }

    /// Returns whether the connection was evicted and must end. If not, a later eviction wakes
    /// `waker`.
    pub(crate) fn is_evicted(&self, waker: &Waker) -> bool {
        let mut known = self.place.waker.borrow_mut();
        if known.as_ref().is_none_or(|known| !known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
        self.place.is_evicted.get()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
        // When a thread ends, its registry may already be dropped.
        let _ = PLACES.try_with(|places| places.borrow_mut().try_remove(self.key));
    }
}

fn next_tick() -> u64 {
    TICK.set(TICK.get() + 1);
    TICK.get()
}

fn evict_longest_idle() {
    PLACES.with_borrow(|places| {
        let idle = places.iter().filter(|(_, place)| !place.is_evicted.get());
        let idle = idle.filter_map(|(_, place)| Some((place.idle_since.get()?, place)));
        if let Some((_, place)) = idle.min_by_key(|(since, _)| *since) {
            place.is_evicted.set(true);
            if let Some(waker) = place.waker.borrow().as_ref() {
                waker.wake_by_ref();
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_with_the_longest_idle_time_is_evicted() {
        let waker = Waker::noop();
        let connections: Vec<_> = (0..4).map(|_| Registration::new(u64::MAX)).collect();
        connections[0].set_idle(false);
        connections[1].set_idle(false);
        connections[1].set_idle(true);
        let evicted = || -> Vec<_> { connections.iter().map(|c| c.is_evicted(waker)).collect() };
        let _new = Registration::new(0);
        assert_eq!(evicted(), [false, false, true, false]);
        let _another = Registration::new(0);
        assert_eq!(evicted(), [false, false, true, true], "each is evicted once");
        let _third = Registration::new(0);
        assert_eq!(
            evicted(),
            [false, true, true, true],
            "a connection with a request in progress is not evicted"
        );
    }
}
