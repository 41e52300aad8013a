//! Tests of exports whose consumer stalls, is slow or fails, while the store continues to write.

use super::{ExportError, ExportRange, LIMITS, Limits, export_within};
use crate::{Counts, Options, SqliteStore};
use northgate_domain::{Command, Epoch, Location, MessageText, RaiseAlert};
use northgate_storage::laws::ManualClock;
use northgate_storage::{EventLog, Submission};
use rusqlite::Connection;
use std::io::{self, PipeReader, Read, Write};
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tempfile::TempDir;

async fn raise(store: &SqliteStore, count: usize) {
    let raise = || {
        let message = MessageText::parse(&"fire ".repeat(50)).unwrap();
        RaiseAlert::new(message, Location::parse("Gate").unwrap())
    };
    let raises = (0..count).map(|_| Submission::from(Command::RaiseAlert(raise())));
    store.append(raises.collect()).await.unwrap();
}

/// Opens a store whose export is several times larger than the buffers before the consumer.
async fn large() -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new(Epoch::new(7));
    let store = SqliteStore::open(folder.path(), &options, ManualClock::counting().meta()).unwrap();
    raise(&store, 1_500).await;
    (folder, store)
}

type Exporting = JoinHandle<Result<Counts, ExportError>>;

/// Starts an export into a pipe, and returns it with the consumer's end of the pipe.
fn begin(limits: Limits, folder: &Path) -> (Exporting, PipeReader) {
    let (consumer, out) = io::pipe().unwrap();
    let folder = folder.to_owned();
    let range = ExportRange::default();
    (thread::spawn(move || export_within(limits, &folder, range, out)), consumer)
}

#[tokio::test]
async fn a_stalled_consumer_ends_the_export_and_frees_the_log() {
    let (folder, store) = large().await;
    let limits = Limits { stalled_for: Duration::from_millis(200), ..LIMITS };
    let (exporting, _consumer) = begin(limits, folder.path());
    let refused = exporting.join().unwrap().unwrap_err();
    assert!(matches!(refused, ExportError::Stalled { .. }), "{refused}");
    assert!(refused.to_string().contains("its consumer read nothing for"), "{refused}");

    raise(&store, 1).await;
    let connection = Connection::open(folder.path().join("northgate.db")).unwrap();
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    let busy: i64 = connection.query_row(checkpoint, [], |row| row.get(0)).unwrap();
    assert_eq!(busy, 0, "the export has ended its transaction");
}

#[tokio::test]
async fn an_export_ends_when_the_write_ahead_log_has_grown_too_much() {
    let (folder, store) = large().await;
    let limits = Limits { stalled_for: Duration::from_hours(1), log_growth: 1024 * 1024 };
    let (exporting, _consumer) = begin(limits, folder.path());
    while !exporting.is_finished() {
        raise(&store, 100).await;
    }
    let refused = exporting.join().unwrap().unwrap_err();
    assert!(matches!(refused, ExportError::LogGrew { .. }), "{refused}");
    assert!(refused.to_string().contains("write-ahead log grew by "), "{refused}");
}

#[tokio::test]
async fn a_slow_consumer_receives_everything() {
    let (folder, _store) = large().await;
    let limits = Limits { stalled_for: Duration::from_secs(2), ..LIMITS };
    let (exporting, mut consumer) = begin(limits, folder.path());
    let mut lines = Vec::new();
    // The consumer reads a chunk more slowly than the limit, but each piece of a chunk within the
    // limit.
    for _ in 0..5 {
        thread::sleep(Duration::from_millis(600));
        let mut piece = [0; 4 * 1024];
        consumer.read_exact(&mut piece).unwrap();
        lines.extend_from_slice(&piece);
    }
    consumer.read_to_end(&mut lines).unwrap();
    assert_eq!(exporting.join().unwrap().unwrap().alerts, 1_500);
    assert!(lines.ends_with(b"\"keys\":0}}\n"));
}

#[tokio::test]
async fn an_export_reports_the_error_of_its_consumer() {
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let (folder, _store) = large().await;
    let refused = export_within(LIMITS, folder.path(), ExportRange::default(), Full).unwrap_err();
    assert_eq!(refused.to_string(), "cannot write the export: no storage space");
}
