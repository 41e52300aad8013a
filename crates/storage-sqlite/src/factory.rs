//! The factory that opens a SQLite store in a folder.

use crate::{Options, SqliteStore};
use async_trait::async_trait;
use northgate_domain::{Epoch, MetaSource};
use northgate_storage::{EventStore, StoreFactory};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

/// Opens the store in one folder with fixed options.
pub struct SqliteFactory {
    folder: PathBuf,
    options: Options,
}

impl SqliteFactory {
    /// Creates a factory for `folder`. Opening the store creates the folder if it is missing.
    pub fn new(folder: PathBuf, options: Options) -> Self {
        Self { folder, options }
    }
}

#[async_trait]
impl StoreFactory for SqliteFactory {
    /// Opens the store. Recovery after a crash blocks the thread, which is acceptable because a
    /// server that starts runs nothing else yet.
    async fn open(
        &self,
        meta: MetaSource,
        new_epoch: Epoch,
    ) -> Result<Arc<dyn EventStore>, Box<dyn Error + Send + Sync>> {
        let options = Options { epoch_if_new: new_epoch, ..self.options };
        Ok(Arc::new(SqliteStore::open(&self.folder, &options, meta)?))
    }
}
