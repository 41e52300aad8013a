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

/// Logs a warning for each bound that is set and belongs to the other store.
fn warn_of_unused(settings: &Settings) {
    let (is_on_disk, when) = match settings.storage.data {
        Some(_) => (true, "with --data"),
        None => (false, "without --data"),
    };
    let (storage, memory) = (&settings.storage, &settings.memory);
    let (disk, ram) = (StorageSection::default(), MemorySection::default());
    for (belongs_to_disk, name, is_set) in [
        (true, "retain-events", storage.retain_events != disk.retain_events),
        (true, "retain-for", storage.retain_for != disk.retain_for),
        (true, "retain-bytes", storage.retain_bytes != disk.retain_bytes),
        (false, "memory-events", memory.events != ram.events),
        (false, "memory-alerts", memory.alerts != ram.alerts),
        (false, "memory-messages", memory.messages != ram.messages),
        (false, "memory-keys", memory.keys != ram.keys),
    ] {
        if is_set && belongs_to_disk != is_on_disk {
            tracing::warn!(setting = name, "this setting has no effect {when}");
        }
    }
}
