//! A connection for queries, with the counter of stored records that could not be decoded.

use northgate_storage::codec::CodecError;
use rusqlite::Connection;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts how often a stored record could not be decoded since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct Unreadable(AtomicU64);

impl Unreadable {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The connection and the counter that a query uses.
#[derive(Clone, Copy)]
pub(crate) struct Session<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) unreadable: &'a Unreadable,
}

impl Session<'_> {
    /// Returns the decoded record, or `None` if decoding failed. The failure is counted and logged,
    /// and the caller skips the record: a damaged record must not block other records or an append.
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
                    "skipped a stored record that cannot be decoded; `northgate check` reports \
                     the first one"
                );
            })
            .ok()
    }
}
