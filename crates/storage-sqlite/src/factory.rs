//! Opens a store in a folder.

use crate::{Options, SqliteStore};
use async_trait::async_trait;
use northgate_domain::{Epoch, MetaSource};
use northgate_storage::{EventStore, StoreFactory};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

/// Opens the store in a folder, with some options.
pub struct SqliteFactory {
    folder: PathBuf,
    options: Options,
}

impl SqliteFactory {
    /// Opens `folder`, which is made if it is not there.
    pub fn new(folder: PathBuf, options: Options) -> Self {
        Self { folder, options }
    }
}

#[async_trait]
impl StoreFactory for SqliteFactory {
    /// Opening blocks for as long as a database that crashed takes to recover. Nothing else runs
    /// yet when a server starts.
    async fn open(
        &self,
        meta: MetaSource,
        new_epoch: Epoch,
    ) -> Result<Arc<dyn EventStore>, Box<dyn Error + Send + Sync>> {
        let options = Options { epoch_if_new: new_epoch, ..self.options };
        Ok(Arc::new(SqliteStore::open(&self.folder, &options, meta)?))
    }
}
