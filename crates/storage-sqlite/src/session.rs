//! A connection as queries use it, with the count of stored records that could not be read.

use northgate_storage::codec::CodecError;
use rusqlite::Connection;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many times a stored record could not be read since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct Unreadable(AtomicU64);

impl Unreadable {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a query runs on.
#[derive(Clone, Copy)]
pub(crate) struct Session<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) unreadable: &'a Unreadable,
}

impl Session<'_> {
    /// The decoded record, or nothing if it cannot be read: one bad record must stop neither the
    /// records around it nor an append, so it is counted, logged and skipped.
    pub(crate) fn readable<T>(
        &self,
        table: &'static str,
        offset: u64,
        decoded: Result<T, CodecError>,
    ) -> Option<T> {
        decoded
            .inspect_err(|error| {
                self.unreadable.0.fetch_add(1, Ordering::Relaxed);
                tracing::error!(
                    table,
                    offset,
                    %error,
                    "skipped a stored record that cannot be read; `northgate check` lists the first one"
                );
            })
            .ok()
    }
}
