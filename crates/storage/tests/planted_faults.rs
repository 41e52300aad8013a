//! Stores with planted faults, and the law that detects each fault. A law that passes with every
//! fault would be useless.
use async_trait::async_trait;
use enum_map::EnumMap;
use northgate_domain::{
    Alert, AlertId, AlertQuery, AlertTimeline, ChatMessage, Deadlines, Epoch, Event, HistoryPage,
    HistoryRange, MessageQuery, MetaSource, Position, Positioned, Summary,
};
use northgate_storage::laws::{self, Harness};
use northgate_storage::{
    AppendError, Capacity, EventLog, EventStore, MemoryStore, Outcome, QueryError, READ_BYTES,
    ReadError, ReadFrom, ReadModel, StoreFactory, Submission, Unavailable,
};
use parking_lot::Mutex;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

/// Time for which a fault stays visible to other tasks.
const PAUSE: Duration = Duration::from_millis(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    AnswerBeforeHead,
    HeadGoesBack,
    HeadWithoutLock,
    SilentHead,
    HeadIsNews,
    HeadAfterReads,
    TornHistory,
    TornPosition,
    UnknownAsUnavailable,
    VectorInPieces,
    BatchInPieces,
    CancelledInHalf,
    KeysForgotten,
    OneScope,
    FingerprintsIgnored,
    TrimmedIsEmpty,
    ForeignIsStart,
    ReadsTooMuch,
    BackwardsReversed,
    EventSkipped,
    EventTwice,
    QuietForgotten,
    SummaryStale,
    EventsOfAll,
    TornTimeline,
    OldestOfPage,
}

/// A memory store with one planted fault.
struct Faulty {
    inner: MemoryStore,
    fault: Fault,
    /// The head that receivers see.
    head: watch::Sender<Position>,
    under_way: AtomicUsize,
    stale: Mutex<Option<Summary>>,
    fails: Arc<AtomicBool>,
}

impl Faulty {
    /// Appends each submission separately, and stops at the first refused submission.
    async fn append_in_pieces(
        &self,
        submissions: Vec<Submission>,
    ) -> Result<Vec<Outcome>, AppendError> {
        let mut outcomes = Vec::new();
        for (index, submission) in submissions.into_iter().enumerate() {
            let done = self.inner.append(vec![submission]).await;
            outcomes.extend(done.map_err(|error| match error {
                AppendError::Rejected { rejection, .. } => {
                    AppendError::Rejected { index, rejection }
                }
                other => other,
            })?);
            if self.fault == Fault::CancelledInHalf {
                yield_now().await;
            }
        }
        Ok(outcomes)
    }

    async fn append_with_fault(
        &self,
        mut submissions: Vec<Submission>,
    ) -> Result<Vec<Outcome>, AppendError> {
        for key in submissions.iter_mut().filter_map(|submission| submission.key.as_mut()) {
            match self.fault {
                Fault::OneScope => key.scope.clear(),
                Fault::FingerprintsIgnored => key.fingerprint = None,
                _ => {}
            }
        }
        if self.fault == Fault::KeysForgotten {
            for submission in &mut submissions {
                submission.key = None;
            }
        }
        let others = self.under_way.fetch_add(1, SeqCst);
        if self.fault == Fault::BatchInPieces {
            sleep(PAUSE).await;
        }
        let done = match self.fault {
            Fault::VectorInPieces | Fault::CancelledInHalf => {
                self.append_in_pieces(submissions).await
            }
            Fault::BatchInPieces if others > 0 => self.append_in_pieces(submissions).await,
            _ => self.inner.append(submissions).await,
        };
        self.under_way.fetch_sub(1, SeqCst);
        done
    }

    /// Publishes the head after an append that ended at `own`.
    async fn show(&self, own: Position) {
        let newest = *self.inner.head().borrow();
        match self.fault {
            Fault::SilentHead => {
                self.head.send_if_modified(|head| {
                    *head = newest;
                    false
                });
            }
            Fault::HeadGoesBack => {
                self.head.send_replace(newest);
                // Sometimes, and by more than all writers append together: otherwise a reader
                // could see only positions that rise.
                if newest.offset.is_multiple_of(6) {
                    let before = Position { offset: newest.offset.saturating_sub(20), ..newest };
                    self.head.send_replace(before);
                }
                sleep(PAUSE).await;
                self.head.send_replace(newest);
            }
            Fault::HeadWithoutLock => {
                // Every second append lets others overtake.
                if (own.offset / 2).is_multiple_of(2) {
                    sleep(PAUSE).await;
                }
                self.head.send_replace(own);
                sleep(PAUSE).await;
            }
            Fault::HeadAfterReads => {
                sleep(PAUSE).await;
                self.head.send_replace(newest);
            }
            _ => {
                self.head.send_if_modified(|head| {
                    let moves = head.offset < newest.offset;
                    if moves {
                        *head = newest;
                    }
                    moves
                });
            }
        }
    }
}

#[async_trait]
impl EventLog for Faulty {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        let done = self.append_with_fault(submissions).await;
        let own = done.iter().flatten().rev().find_map(|outcome| match outcome {
            Outcome::Appended { event, .. } => Some(event.position),
            _ => None,
        });
        if self.fault == Fault::AnswerBeforeHead {
            return done;
        }
        let newest = *self.inner.head().borrow();
        self.show(own.unwrap_or(newest)).await;
        if self.fails.swap(false, SeqCst) {
            return Err(AppendError::Unavailable);
        }
        done
    }

    async fn read(
        &self,
        from: ReadFrom,
        limit: usize,
    ) -> Result<Vec<Positioned<Event>>, ReadError> {
        let from = match (self.fault, from) {
            (Fault::EventTwice, ReadFrom::After(after)) if after.offset > 0 => {
                ReadFrom::After(Position { offset: after.offset - 1, ..after })
            }
            _ => from,
        };
        let read = self.inner.read(from, limit).await;
        match (self.fault, read) {
            (Fault::TrimmedIsEmpty, Err(ReadError::Gap { .. })) => Ok(Vec::new()),
            (Fault::ForeignIsStart, Err(ReadError::Gap { oldest, .. })) => {
                self.inner.read(ReadFrom::After(oldest), limit).await
            }
            (Fault::BackwardsReversed, Ok(mut events)) => {
                if let ReadFrom::Before(_) = from {
                    events.reverse();
                }
                Ok(events)
            }
            (Fault::EventSkipped, Ok(mut events)) if events.len() > 2 => {
                events.remove(1);
                Ok(events)
            }
            (Fault::ReadsTooMuch, Ok(mut events)) => {
                let bytes: usize = events.iter().map(|e| e.value.approximate_bytes()).sum();
                if let (true, ReadFrom::After(_), Some(last)) =
                    (bytes > READ_BYTES / 2, from, events.last())
                {
                    let more = self.inner.read(ReadFrom::After(last.position), limit).await?;
                    events.extend(more);
                }
                Ok(events)
            }
            (_, read) => read,
        }
    }

    fn head(&self) -> watch::Receiver<Position> {
        let mut head = self.head.subscribe();
        if self.fault == Fault::HeadIsNews {
            head.mark_changed();
        }
        head
    }
}

#[async_trait]
impl ReadModel for Faulty {
    async fn alerts(&self, query: AlertQuery) -> Result<HistoryPage<Alert>, QueryError> {
        if self.fault == Fault::TornPosition {
            let early = self.inner.alerts(query.clone()).await?;
            sleep(PAUSE).await;
            return Ok(HistoryPage { position: early.position, ..self.inner.alerts(query).await? });
        }
        let [one, other] = query.statuses[..] else { return self.inner.alerts(query).await };
        if self.fault != Fault::TornHistory {
            return self.inner.alerts(query).await;
        }
        let of = |status| AlertQuery { statuses: vec![status], ..query.clone() };
        let mut page = self.inner.alerts(of(one)).await?;
        sleep(PAUSE).await;
        page.items.extend(self.inner.alerts(of(other)).await?.items);
        page.items.sort_by_key(|alert| alert.position.offset);
        Ok(page)
    }

    async fn messages(&self, query: MessageQuery) -> Result<HistoryPage<ChatMessage>, QueryError> {
        self.inner.messages(query).await
    }

    async fn alert(&self, id: AlertId) -> Result<Option<Positioned<Alert>>, Unavailable> {
        self.inner.alert(id).await
    }

    async fn alert_events(
        &self,
        id: AlertId,
        range: HistoryRange,
    ) -> Result<Option<AlertTimeline>, QueryError> {
        let early = self.inner.alert(id).await?;
        if self.fault == Fault::TornTimeline {
            sleep(PAUSE).await;
        }
        let Some(mut timeline) = self.inner.alert_events(id, range).await? else { return Ok(None) };
        match self.fault {
            Fault::EventsOfAll => {
                let start = Position { offset: 0, ..timeline.events.position };
                let all = self.inner.read(ReadFrom::After(start), 100).await;
                timeline.events.items = all.unwrap_or_default();
            }
            Fault::TornTimeline => timeline.alert = early.unwrap_or(timeline.alert),
            Fault::OldestOfPage => timeline.oldest = timeline.events.items.first().cloned(),
            _ => {}
        }
        Ok(Some(timeline))
    }

    async fn summary(&self) -> Result<Summary, Unavailable> {
        let now = self.inner.summary().await?;
        let before = self.stale.lock().replace(now);
        let is_stale = self.fault == Fault::SummaryStale;
        Ok(before.filter(|_| is_stale).unwrap_or(now))
    }

    async fn overdue(
        &self,
        deadlines: Deadlines,
        limit: usize,
    ) -> Result<Vec<Positioned<Alert>>, Unavailable> {
        let deadlines = match self.fault {
            Fault::QuietForgotten => Deadlines { quiet_since: EnumMap::default(), ..deadlines },
            _ => deadlines,
        };
        self.inner.overdue(deadlines, limit).await
    }
}

impl EventStore for Faulty {
    fn is_durable(&self) -> bool {
        false
    }
}

struct FaultyFactory {
    capacity: Capacity,
    fault: Fault,
    fails: Arc<AtomicBool>,
}

#[async_trait]
impl StoreFactory for FaultyFactory {
    async fn open(
        &self,
        meta: MetaSource,
        new_epoch: Epoch,
    ) -> Result<Arc<dyn EventStore>, Box<dyn Error + Send + Sync>> {
        Ok(Arc::new(Faulty {
            inner: MemoryStore::new(new_epoch, self.capacity, meta),
            fault: self.fault,
            head: watch::Sender::new(Position::start(new_epoch)),
            under_way: AtomicUsize::new(0),
            stale: Mutex::default(),
            fails: self.fails.clone(),
        }))
    }
}

struct Planted {
    fault: Fault,
    fails: Arc<AtomicBool>,
}

impl Harness for Planted {
    fn factory(&self, capacity: Capacity) -> Arc<dyn StoreFactory> {
        let fails = self.fails.clone();
        Arc::new(FaultyFactory { capacity, fault: self.fault, fails })
    }

    fn fail_next_append(&self, _: &Arc<dyn EventStore>) -> bool {
        self.fails.store(self.fault == Fault::UnknownAsUnavailable, SeqCst);
        self.fault == Fault::UnknownAsUnavailable
    }
}

type Law = for<'a> fn(&'a Planted) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Returns whether a store with this fault fails the law within 30 seconds. A law that hangs does
/// not count as failed.
#[expect(clippy::disallowed_methods, reason = "the test joins the task itself")]
async fn is_caught(fault: Fault, law: Law) -> bool {
    let harness = Planted { fault, fails: Arc::default() };
    let mut run = tokio::task::spawn(async move { law(&harness).await });
    let ended = timeout(Duration::from_secs(30), &mut run).await;
    run.abort();
    ended.is_ok_and(|ended| ended.is_err())
}

macro_rules! caught {
    ($($fault:ident by $law:ident;)*) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn every_planted_fault_breaks_its_law() {
            let mut survived = Vec::new();
            $(
                let law: Law = |harness| Box::pin(laws::$law(harness));
                if !is_caught(Fault::$fault, law).await {
                    survived.push(concat!(stringify!($fault), ": ", stringify!($law)));
                }
            )*
            assert_eq!(survived, [""; 0], "these faults were not detected by their laws");
        }
    };
}

caught! {
    AnswerBeforeHead by an_appended_event_is_visible_in_every_query;
    HeadGoesBack by the_head_never_moves_backwards;
    HeadWithoutLock by the_head_never_moves_backwards;
    SilentHead by every_move_of_the_head_wakes_its_receivers;
    HeadIsNews by a_new_receiver_of_the_head_has_no_pending_change;
    HeadAfterReads by no_query_shows_events_beyond_the_head;
    TornHistory by a_history_page_shows_one_state_of_the_store;
    TornPosition by collections_contain_exactly_the_events_up_to_their_position;
    UnknownAsUnavailable by an_unavailable_append_has_stored_nothing;
    VectorInPieces by a_vector_is_stored_completely_or_not_at_all;
    BatchInPieces by a_refused_vector_stores_nothing_among_concurrent_ones;
    CancelledInHalf by a_cancelled_append_stores_no_partial_vector;
    KeysForgotten by a_key_always_returns_its_first_outcome;
    OneScope by equal_keys_in_two_scopes_are_independent;
    FingerprintsIgnored by a_key_always_returns_its_first_outcome;
    TrimmedIsEmpty by a_trimmed_position_is_a_gap;
    ForeignIsStart by a_foreign_position_is_a_gap;
    ReadsTooMuch by a_read_is_bounded_in_bytes;
    BackwardsReversed by backward_pages_return_every_retained_event_once;
    EventSkipped by a_tail_receives_every_event_exactly_once_in_order;
    EventTwice by a_tail_receives_every_event_exactly_once_in_order;
    QuietForgotten by the_overdue_alerts_are_found_and_no_others;
    SummaryStale by a_summary_counts_the_retained_alerts;
    EventsOfAll by alert_events_returns_the_events_of_one_alert_only;
    TornTimeline by an_alert_and_its_events_show_one_state_of_the_store;
    OldestOfPage by alert_events_returns_the_events_of_one_alert_only;
}
