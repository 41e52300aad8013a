//! Everything in a folder, or what is of some time, as lines of JSON: for another store, and for
//! other programs.

mod lines;
mod output;

use crate::OpenError;
use crate::archive::Counts;
use crate::database::DatabaseError;
use crate::existing::ExistingData;
use crate::folder::{beside, database_in};
use lines::Lines;
use northgate_domain::Timestamp;
use northgate_storage::codec::CodecError;
use output::{LogGrowth, Output};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

/// When an export ends early. While it reads, the server cannot reuse its write-ahead log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// For so long the consumer may take nothing.
    pub(crate) stalled_for: Duration,
    /// So many bytes longer the write-ahead log may become; of a larger database, as many as that
    /// has.
    pub(crate) log_growth: u64,
}

const LIMITS: Limits =
    Limits { stalled_for: Duration::from_secs(30), log_growth: 256 * 1024 * 1024 };

/// Which part of a store to export: by default all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportRange {
    /// Only what began at this moment or later.
    pub since: Option<Timestamp>,
    /// Only what began before this moment.
    pub until: Option<Timestamp>,
}

impl ExportRange {
    fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    fn admits(&self, began: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= began)
            && self.until.is_none_or(|until| began < until)
    }

    /// The bounds in microseconds, as `>=` and `<` take them.
    fn micros(&self) -> (i64, i64) {
        let micros =
            |bound: Option<Timestamp>, unbounded| bound.map_or(unbounded, Timestamp::unix_micros);
        (micros(self.since, i64::MIN), micros(self.until, i64::MAX))
    }
}

/// Why an export is not whole.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no data of this program.
    #[error(transparent)]
    Data(#[from] OpenError),
    /// The data cannot be read.
    #[error("cannot read the data: {0}")]
    Read(String),
    /// The lines cannot be written.
    #[error("cannot write: {0}")]
    Write(#[source] io::Error),
    /// The consumer took nothing for too long.
    #[error(
        "the export ended early: nobody took any of it for {} s, and meanwhile the server cannot \
         reuse its write-ahead log; write to a file on a fast disk, or use `backup`",
        after.as_secs()
    )]
    Stalled {
        /// So long the export waited.
        after: Duration,
    },
    /// The consumer is too slow for what a server writes.
    #[error(
        "the export ended early: the server's write-ahead log has grown by {} MiB, since it cannot \
         be reused during an export; write to a file on a fast disk, or use `backup`",
        bytes / (1024 * 1024)
    )]
    LogGrew {
        /// So much longer the log is than it was when the export began.
        bytes: u64,
    },
}

impl From<DatabaseError> for ExportError {
    fn from(error: DatabaseError) -> Self {
        Self::Read(error.to_string())
    }
}

impl From<rusqlite::Error> for ExportError {
    fn from(error: rusqlite::Error) -> Self {
        DatabaseError::from(error).into()
    }
}

impl From<CodecError> for ExportError {
    fn from(error: CodecError) -> Self {
        DatabaseError::from(error).into()
    }
}

/// Writes what the store in `folder` holds, as it is at one moment, whether a server uses it or
/// not. A part by time has no keys, and cannot be imported: it would be a log with holes.
///
/// `out` belongs to a thread of its own, which may stay blocked when the export has ended early.
pub fn export(
    folder: &Path,
    range: ExportRange,
    out: impl Write + Send + 'static,
) -> Result<Counts, ExportError> {
    let database = database_in(folder).metadata().map_or(0, |found| found.len());
    // A large store takes longer: the log may take as much room as the data.
    let limits = Limits { log_growth: LIMITS.log_growth.max(database), ..LIMITS };
    export_within(limits, folder, range, out)
}

fn export_within(
    limits: Limits,
    folder: &Path,
    range: ExportRange,
    out: impl Write + Send + 'static,
) -> Result<Counts, ExportError> {
    let data = ExistingData::open(folder)?;
    let log = LogGrowth::from_now_on(beside(&database_in(folder), "-wal"));
    // The transaction is the moment.
    let transaction = data.connection.unchecked_transaction()?;
    let mut out = Output::start(out, log, limits).map_err(ExportError::Write)?;
    let mut lines = Lines { connection: &transaction, schema: data.schema, range, out: &mut out };
    let counts = lines.put_all()?;
    // The consumer may take its time for the rest.
    drop(transaction);
    drop(data);
    out.finish()?;
    Ok(counts)
}

#[cfg(test)]
mod tests;
