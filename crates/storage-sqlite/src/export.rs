//! Everything in a folder, or what is of some time, as lines of JSON: for another store, and for
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
