//! What makes room: the oldest of each kind goes when there is more than the store holds.

use crate::database::{DatabaseError, to_sql};
use crate::ledger::Ledger;
use northgate_storage::Capacity;
use rusqlite::params;

/// The most rows of one kind that go in one transaction. After the limits were lowered there may
/// be a million to go, and nobody is to wait for that.
const MOST: u64 = 8_192;

impl Ledger {
    /// Removes what is over `capacity`, inside the transaction that went over it.
    pub(crate) fn trim(&mut self, capacity: &Capacity) -> Result<(), DatabaseError> {
        self.trim_events(capacity.events.get() as u64)?;
        let held = self.held;
        self.held.alerts -= self.remove(
            "DELETE FROM alerts WHERE place IN (SELECT place FROM alerts ORDER BY place LIMIT ?1)",
            held.alerts.saturating_sub(capacity.alerts.get() as u64),
        )?;
        self.held.messages -= self.remove(
            "DELETE FROM messages WHERE place IN
                (SELECT place FROM messages ORDER BY place LIMIT ?1)",
            held.messages.saturating_sub(capacity.messages.get() as u64),
        )?;
        self.held.keys -= self.remove(
            "DELETE FROM keys WHERE seen IN (SELECT seen FROM keys ORDER BY seen LIMIT ?1)",
            held.keys.saturating_sub(capacity.keys.get() as u64),
        )?;
        Ok(())
    }

    /// Offsets are contiguous, so the window is a matter of arithmetic. It is never empty, because
    /// no capacity is: the newest event is how the file knows its head.
    fn trim_events(&mut self, capacity: u64) -> Result<(), DatabaseError> {
        let wanted = self.held.head.saturating_sub(capacity);
        let trimmed = wanted.min(self.held.trimmed.saturating_add(MOST));
        if trimmed > self.held.trimmed {
            self.execute("DELETE FROM events WHERE place <= ?1", params![to_sql(trimmed)])?;
            self.held.trimmed = trimmed;
        }
        Ok(())
    }

    fn remove(&self, sql: &str, excess: u64) -> Result<u64, DatabaseError> {
        if excess == 0 { Ok(0) } else { self.execute(sql, params![to_sql(excess.min(MOST))]) }
    }
}
