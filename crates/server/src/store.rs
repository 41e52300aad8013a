//! Selection of the store, memory or disk, from the settings. No other file uses both stores.

use crate::configuration::{DataFolder, MemorySection, Settings, StorageSection};
use northgate_domain::Epoch;
use northgate_storage::{MemoryFactory, StoreFactory};
use northgate_storage_sqlite::{Options, SqliteFactory};

/// Returns the factory of the configured store.
pub(crate) fn configured_store(settings: &Settings) -> Box<dyn StoreFactory> {
    warn_of_unused(settings);
    let Some(folder) = settings.storage.data.as_ref().map(DataFolder::path) else {
        return Box::new(MemoryFactory(settings.memory.capacity()));
    };
    // The caller passes the real epoch when it opens the store.
    let mut options = Options::new(Epoch::new(0));
    options.capacity.events = settings.storage.retain_events;
    options.retain_for = settings.storage.retain_for.0;
    options.retain_bytes = settings.storage.retain_bytes.bytes();
    options.appends_per_commit = settings.storage.appends_per_commit;
    Box::new(SqliteFactory::new(folder.to_owned(), options))
}

/// Logs a warning if the settings contain bounds of the other store.
fn warn_of_unused(settings: &Settings) {
    let Settings { storage, memory, .. } = settings;
    if storage.data.is_some() && *memory != MemorySection::default() {
        tracing::warn!("the settings --memory-… have no effect with --data; use --retain-…");
    }
    let appends_per_commit = storage.appends_per_commit;
    let unset = StorageSection { appends_per_commit, ..StorageSection::default() };
    if storage.data.is_none() && *storage != unset {
        tracing::warn!("the settings --retain-… have no effect without --data; use --memory-…");
    }
}
