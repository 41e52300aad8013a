//! Tests of failing commits, full disks and lost files, and of the contents of one commit. Many
//! tests stop the writer inside a commit, so that no result depends on timing.

mod lost_files;

use crate::health::StoreHealth;
use crate::lane::MOST_WAITING;
use crate::writer::{Commit, commit};
use crate::{Options, SqliteStore, Written, check};
use northgate_domain::{
    Command, Epoch, MessageQuery, MessageText, MetaSource, Position, PostMessage, Sender,
};
use northgate_storage::laws::{self, Harness, ManualClock};
use northgate_storage::{
    AppendError, Capacity, EventLog, EventStore, Fingerprint, IdempotencyKey, Outcome, ReadFrom,
    ReadModel, Rejection, StoreFactory, Submission,
};
use parking_lot::Mutex;
use rusqlite::Connection;
use std::error::Error;
use std::future::Future;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;

fn open(commit: Commit) -> (TempDir, Arc<SqliteStore>) {
    open_with(Options::new(Epoch::new(7)), commit)
}

fn open_with(options: Options, commit: Commit) -> (TempDir, Arc<SqliteStore>) {
    let folder = tempfile::tempdir().unwrap();
    let meta = ManualClock::counting().meta();
    let store = SqliteStore::open_with(folder.path(), &options, meta, commit).unwrap();
    (folder, Arc::new(store))
}

fn say(message: &str) -> Submission {
    Submission::from(Command::PostMessage(PostMessage {
        sender: Sender::parse("Operator 1").unwrap(),
        message: MessageText::parse(message).unwrap(),
        alert_id: None,
    }))
}

fn keyed(message: &str, digest: u8) -> Submission {
    let key = IdempotencyKey {
        scope: "chat".to_owned(),
        value: "k".to_owned(),
        fingerprint: Some(Fingerprint([digest; 32])),
    };
    Submission { key: Some(key), ..say(message) }
}

/// Returns the texts of all messages, and checks that all events of the log are retained.
async fn texts(store: &SqliteStore) -> Vec<String> {
    let query = MessageQuery::newest(1_000_000);
    let messages = store.messages(query).await.unwrap();
    let start = Position::start(messages.position.epoch);
    let events = store.read(ReadFrom::After(start), 1_000_000).await.unwrap();
    let offsets: Vec<_> = events.iter().map(|event| event.position.offset).collect();
    assert_eq!(offsets, (1..=messages.position.offset).collect::<Vec<_>>(), "contiguous");
    messages.items.iter().map(|message| message.value.message.to_string()).collect()
}

/// Behaviour of a commit, chosen by the test.
#[derive(Clone, Copy)]
enum Act {
    Commit,
    /// Fail without a commit, so that the transaction is rolled back.
    Fail,
    /// Commit, and return an error.
    FailLate,
    /// Commit, signal the test a second time, and wait for the next act before returning.
    Dawdle,
}

fn failure() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR), None)
}

/// Controls the commits of a store from a test.
struct Director {
    at_commit: mpsc::Receiver<()>,
    direct: mpsc::Sender<Act>,
}

impl Director {
    fn reached(&self) {
        self.at_commit.recv_timeout(SOON).unwrap();
    }

    fn tell(&self, act: Act) {
        self.direct.send(act).unwrap();
    }
}

/// Opens a store whose commits signal their start, wait for an act from the test, and perform it.
/// After the director is dropped, all commits succeed. A failing test must drop its director before
/// its store, because the store waits for pending commits.
fn directed() -> (TempDir, Arc<SqliteStore>, Director) {
    let (reached, at_commit) = mpsc::channel();
    let (direct, acts) = mpsc::channel();
    let act = move |connection: &Connection| {
        let _ = reached.send(());
        match acts.recv().unwrap_or(Act::Commit) {
            Act::Commit => commit(connection),
            Act::Fail => Err(failure()),
            Act::FailLate => commit(connection).and(Err(failure())),
            Act::Dawdle => {
                let committed = commit(connection);
                let _ = reached.send(());
                let _ = acts.recv();
                committed
            }
        }
    };
    let (folder, store) = open(Box::new(act));
    (folder, store, Director { at_commit, direct })
}

/// Timeout for steps that last milliseconds on an idle machine.
const SOON: Duration = Duration::from_secs(20);

type Answers = Vec<Result<Vec<Outcome>, AppendError>>;

/// Stops the writer inside a first commit until all `vectors` are in the queue, in order. Then the
/// writer processes the queue as one batch, whose commit performs `act`.
async fn as_one_batch(
    store: &Arc<SqliteStore>,
    director: &Director,
    vectors: Vec<Vec<Submission>>,
    act: Act,
) -> Answers {
    let waiting = vectors.len();
    let mut tasks = JoinSet::new();
    for (index, vector) in [vec![say("first")]].into_iter().chain(vectors).enumerate() {
        let appending = store.clone();
        tasks.spawn(async move { (index, appending.append(vector).await) });
        // The task runs now and sends its vector, because the queue is not full.
        tokio::task::yield_now().await;
        if index == 0 {
            director.reached();
        }
    }
    assert_eq!(store.waiting(), waiting, "all vectors are in the queue");
    director.tell(Act::Commit);
    director.tell(act);
    let answers = tokio::time::timeout(SOON, tasks.join_all()).await;
    let mut answers = answers.expect("the complete queue is one batch");
    director.reached();
    answers.sort_by_key(|(index, _)| *index);
    let first = answers.remove(0).1;
    assert!(first.is_ok(), "{first:?}");
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[tokio::test]
async fn waiting_appends_are_stored_by_one_commit() {
    let (_folder, store, director) = directed();
    let vectors = (0..63).map(|n| vec![say(&n.to_string())]).collect();
    let answers = as_one_batch(&store, &director, vectors, Act::Commit).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(store.written(), Written { commits: 2, events: 64, unreadable: 0 });
    assert_eq!(texts(&store).await.len(), 64);
}

#[tokio::test]
async fn one_commit_stores_at_most_the_configured_number_of_appends() {
    let alone = Options { appends_per_commit: NonZeroUsize::MIN, ..Options::new(Epoch::new(7)) };
    let (_folder, store) = open_with(alone, Box::new(commit));
    let mut tasks = JoinSet::new();
    for n in 0..32 {
        let store = store.clone();
        tasks.spawn(async move { store.append(vec![say(&n.to_string()), say("and")]).await });
    }
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
    assert_eq!(store.written(), Written { commits: 32, events: 64, unreadable: 0 });
}

#[tokio::test]
async fn a_rejected_vector_does_not_affect_the_rest_of_its_batch() {
    let (_folder, store, director) = directed();
    let vectors = vec![
        vec![say("a"), keyed("key", 1)],
        vec![say("b"), say("c"), keyed("other", 2), say("d")],
        vec![say("e")],
        vec![keyed("key", 1), say("f")],
    ];
    let answers = as_one_batch(&store, &director, vectors, Act::Commit).await;
    assert!(matches!(&answers[0], Ok(outcomes) if outcomes.len() == 2), "{answers:?}");
    let rejection = Rejection::KeyReused;
    assert_eq!(answers[1], Err(AppendError::Rejected { index: 2, rejection }));
    assert!(answers[2].is_ok(), "{answers:?}");
    let seen = answers[3].as_ref().unwrap();
    assert!(matches!(seen[0], Outcome::Replayed(_)), "the vector sees earlier ones: {seen:?}");
    assert_eq!(texts(&store).await, ["first", "a", "key", "e", "f"]);
    assert_eq!(store.written(), Written { commits: 2, events: 5, unreadable: 0 });
}

/// Runs a batch in which the statement on `table` for the third event fails with `how`, and checks
/// that nothing of the batch is stored.
async fn batch_with_a_failing_statement(table: &str, how: &str) {
    let (folder, store, director) = directed();
    let other = Connection::open(folder.path().join("northgate.db")).unwrap();
    let stop = format!(
        "CREATE TRIGGER stop BEFORE INSERT ON {table} WHEN new.place = 3
         BEGIN SELECT RAISE({how}, 'stopped'); END"
    );
    other.execute_batch(&stop).unwrap();
    let mut tasks = JoinSet::new();
    for n in 0..4 {
        let appending = store.clone();
        tasks.spawn(async move { appending.append(vec![say(&n.to_string())]).await });
        tokio::task::yield_now().await;
        if n == 0 {
            director.reached();
        }
    }
    assert_eq!(store.waiting(), 3);
    director.tell(Act::Commit);
    let answers =
        tokio::time::timeout(SOON, tasks.join_all()).await.expect("no task waits for a commit");
    let unavailable = answers.iter().filter(|answer| **answer == Err(AppendError::Unavailable));
    assert_eq!(unavailable.count(), 3, "{answers:?}");
    assert_eq!(texts(&store).await, ["0"]);

    other.execute_batch("DROP TRIGGER stop").unwrap();
    drop(director);
    store.append(vec![say("again")]).await.unwrap();
    assert_eq!(texts(&store).await, ["0", "again"]);
}

#[tokio::test]
async fn a_statement_that_fails_after_a_write_fails_the_complete_batch() {
    // The event is already written when the statement fails, and a vector with one submission has
    // no savepoint.
    batch_with_a_failing_statement("messages", "ABORT").await;
}

#[tokio::test]
async fn nothing_is_written_after_a_failed_statement_ended_the_transaction() {
    batch_with_a_failing_statement("events", "ROLLBACK").await;
}

#[tokio::test]
async fn a_failed_commit_has_an_unknown_outcome_and_the_file_is_read_again() {
    for (act, held) in [(Act::Fail, vec!["first"]), (Act::FailLate, vec!["first", "a", "key"])] {
        let (folder, store, director) = directed();
        let vectors = vec![vec![say("a")], vec![keyed("key", 1)]];
        let answers = as_one_batch(&store, &director, vectors, act).await;
        assert_eq!(answers, [Err(AppendError::OutcomeUnknown), Err(AppendError::OutcomeUnknown)]);
        assert_eq!(texts(&store).await, held);
        assert_eq!(store.head().borrow().offset, held.len() as u64, "the head matches the file");

        drop(director);
        let again = store.append(vec![keyed("key", 1)]).await.unwrap().remove(0);
        let was_kept = held.contains(&"key");
        assert_eq!(matches!(again, Outcome::Replayed(_)), was_kept, "{again:?}");
        store.append(vec![say("later")]).await.unwrap();
        let kept = texts(&store).await;
        assert_eq!(kept.iter().filter(|text| *text == "key").count(), 1, "{kept:?}");
        let checked = check(folder.path()).unwrap();
        assert_eq!(checked.head, *store.head().borrow());
    }
}

#[tokio::test]
async fn a_full_disk_stores_nothing_of_a_batch_until_space_is_free() {
    let full = |connection: &Connection| {
        commit(connection)?;
        // This limit stops the growth of the database: SQLite fails as on a full disk. A new
        // connection has no such limit.
        connection.pragma_update_and_check(None, "max_page_count", 1, |_row| Ok(()))
    };
    let (folder, store) = open(Box::new(full));
    store.append(vec![say("small")]).await.unwrap();
    let much: Vec<_> = (0..100).map(|_| say(&"x".repeat(4_000))).collect();
    assert_eq!(store.append(much.clone()).await, Err(AppendError::Unavailable));
    assert_eq!(store.head().borrow().offset, 1);
    assert_eq!(texts(&store).await, ["small"]);
    store.append(much).await.unwrap();
    assert_eq!(texts(&store).await.len(), 101);
    assert_eq!(check(folder.path()).unwrap().events, 101);
}

#[tokio::test]
async fn a_panic_of_the_writer_is_reported_with_its_message() {
    let (_folder, store) = open(Box::new(|_connection| panic!("no luck")));
    assert_eq!(store.append(vec![say("a")]).await, Err(AppendError::OutcomeUnknown));
    let reason = tokio::time::timeout(SOON, store.failed()).await.expect("in time");
    assert_eq!(reason, "it panicked: no luck");
    assert_eq!(*store.health().borrow(), StoreHealth::Failing);
    assert_eq!(store.append(vec![say("b")]).await, Err(AppendError::Unavailable));
}

#[tokio::test]
async fn a_full_queue_makes_callers_wait_and_a_dropped_call_stores_nothing() {
    let (_folder, store, director) = directed();
    let mut tasks = JoinSet::new();
    for n in 0..=MOST_WAITING {
        let appending = store.clone();
        tasks.spawn(async move { appending.append(vec![say(&n.to_string())]).await });
        if n == 0 {
            tokio::task::yield_now().await;
            director.reached();
        }
    }
    while store.waiting() < MOST_WAITING {
        tokio::task::yield_now().await;
    }
    {
        let mut left = pin!(store.append(vec![say("left"), say("left")]));
        assert!(left.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    drop(director);
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
    let kept = texts(&store).await;
    assert_eq!(kept.len(), MOST_WAITING + 1);
    assert!(!kept.contains(&"left".to_owned()));
}

#[tokio::test]
async fn a_query_waits_until_the_head_covers_its_result() {
    let (_folder, store, director) = directed();
    let appending = store.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { appending.append(vec![say("a")]).await.map(|_outcomes| ()) });
    tokio::task::yield_now().await;
    director.reached();
    director.tell(Act::Dawdle);
    director.reached();
    // The event is on disk, but its head is not published.
    assert_eq!(store.head().borrow().offset, 0);
    let mut asking = pin!(store.messages(MessageQuery::newest(1)));
    let early = tokio::time::timeout(Duration::from_millis(100), asking.as_mut()).await;
    assert!(early.is_err(), "{early:?}");
    director.tell(Act::Commit);
    let messages = asking.await.unwrap();
    assert_eq!((messages.position.offset, messages.items.len()), (1, 1));
    assert_eq!(store.head().borrow().offset, 1);
    assert_eq!(tasks.join_all().await, [Ok(())]);
}

/// Harness of stores whose next commit can be made to fail, before or after the data is on disk.
struct FailingCommits {
    act: Act,
    armed: Arc<AtomicBool>,
    folders: Mutex<Vec<TempDir>>,
}

struct FailingFactory {
    folder: PathBuf,
    act: Act,
    armed: Arc<AtomicBool>,
}

#[async_trait::async_trait]
impl StoreFactory for FailingFactory {
    async fn open(
        &self,
        meta: MetaSource,
        new_epoch: Epoch,
    ) -> Result<Arc<dyn EventStore>, Box<dyn Error + Send + Sync>> {
        let (act, armed) = (self.act, self.armed.clone());
        let commit = move |connection: &Connection| match act {
            _ if !armed.swap(false, Relaxed) => commit(connection),
            Act::Fail => Err(failure()),
            _ => commit(connection).and(Err(failure())),
        };
        let options = Options::new(new_epoch);
        let store = SqliteStore::open_with(&self.folder, &options, meta, Box::new(commit))?;
        Ok(Arc::new(store))
    }
}

impl Harness for FailingCommits {
    fn factory(&self, _: Capacity) -> Arc<dyn StoreFactory> {
        let folder = tempfile::tempdir().unwrap();
        let (act, armed) = (self.act, self.armed.clone());
        let factory = FailingFactory { folder: folder.path().to_owned(), act, armed };
        self.folders.lock().push(folder);
        Arc::new(factory)
    }

    fn fail_next_append(&self, _: &Arc<dyn EventStore>) -> bool {
        self.armed.store(true, Relaxed);
        true
    }
}

#[tokio::test]
async fn a_failed_commit_obeys_the_law_of_unknown_outcomes() {
    for act in [Act::Fail, Act::FailLate] {
        let harness = FailingCommits { act, armed: Arc::default(), folders: Mutex::default() };
        laws::an_unavailable_append_has_stored_nothing(&harness).await;
        assert!(!harness.armed.load(Relaxed), "the commit failed");
    }
}
