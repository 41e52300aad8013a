//! Exports all data of a folder, or a range of time, as lines of JSON for another store or for
//! other programs.

mod error;
mod lines;
mod output;
mod range;

pub use error::ExportError;
pub use range::ExportRange;

use crate::archive::Counts;
use crate::existing::ExistingData;
use crate::folder::{beside, database_in};
use lines::Lines;
use output::{LogGrowth, Output};
use range::Limits;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

const LIMITS: Limits =
    Limits { stalled_for: Duration::from_secs(30), log_growth: 256 * 1024 * 1024 };

/// Writes the state of the data in `folder` at one instant to `out`. A server may use the folder at
/// the same time. An export of a range of time contains no keys. Such an export cannot be imported,
/// because the new log would have holes.
///
/// A separate thread owns `out`. If the export ends early, that thread may stay blocked.
pub fn export(
    folder: &Path,
    range: ExportRange,
    out: impl Write + Send + 'static,
) -> Result<Counts, ExportError> {
    let database = database_in(folder).metadata().map_or(0, |found| found.len());
    // The export of a large store lasts longer, so the limit is at least the size of the database.
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
    // The transaction provides the snapshot.
    let transaction = data.connection.unchecked_transaction()?;
    let mut out = Output::start(out, log, limits).map_err(ExportError::Write)?;
    let mut lines = Lines { connection: &transaction, schema: data.schema, range, out: &mut out };
    let counts = lines.put_all()?;
    // All data has been read. From here on, a slow consumer does not prevent the server from
    // reusing its write-ahead log.
    drop(transaction);
    drop(data);
    out.finish()?;
    Ok(counts)
}

#[cfg(test)]
mod tests;
