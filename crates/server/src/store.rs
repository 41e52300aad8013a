//! Which store keeps the events: memory, or a folder.

use crate::configuration::{DataFolder, Settings};
use crate::stamps::{SystemStamps, draw_epoch};
use northgate_storage::{EventStore, MemoryStore, StoreHealth};
use northgate_storage_sqlite::{OpenError, Options, SqliteStore};
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::watch;

/// The store that the settings ask for.
pub(crate) struct Store {
    /// As everybody sees it.
    pub(crate) port: Arc<dyn EventStore>,
    /// How many events it holds.
    pub(crate) events: NonZeroUsize,
    /// Whether it can keep what comes.
    pub(crate) health: watch::Receiver<StoreHealth>,
    /// As the one who closes it sees it, if there is anything to close.
    pub(crate) database: Option<Arc<SqliteStore>>,
}

impl Store {
    pub(crate) fn open(settings: &Settings) -> Result<Self, OpenError> {
        let stamps = Arc::new(SystemStamps);
        let Some(folder) = settings.storage.data.as_ref().map(DataFolder::path) else {
            let capacity = settings.memory.capacity();
            tracing::info!("events are kept in memory: nothing survives a restart");
            let port = Arc::new(MemoryStore::new(draw_epoch(), capacity, stamps));
            // Nothing can go wrong with it, so nobody needs to say so.
            let (_says_nothing, health) = watch::channel(StoreHealth::Keeping);
            return Ok(Self { port, events: capacity.events, health, database: None });
        };
        let mut options = Options::new(draw_epoch());
        options.capacity.events = settings.storage.retain_events;
        options.retain_for = settings.storage.retain_for.0;
        options.retain_bytes = settings.storage.retain_bytes.bytes();
        options.appends_per_commit = settings.storage.appends_per_commit;
        let database = Arc::new(SqliteStore::open(folder, &options, stamps)?);
        tracing::info!(folder = %folder.display(), "events are kept on disk");
        let events = options.capacity.events;
        let health = database.health();
        Ok(Self { port: database.clone(), events, health, database: Some(database) })
    }
}
