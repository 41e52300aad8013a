//! The real application, on a separate thread of the test process.

use crate::client::Client;
use crate::stores::{Store, chosen_store, in_memory, on_disk};
use northgate_server::{GeneratorInterval, Settings};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// A running server, stopped gracefully on drop.
pub struct TestServer {
    client: Client,
    stop: Option<oneshot::Sender<&'static str>>,
    thread: Option<JoinHandle<()>>,
}

impl TestServer {
    /// Starts a server with the default settings, without the generator.
    pub fn start() -> Self {
        Self::with(|_| ())
    }

    /// Starts a server with adjusted settings and an empty store. The variable
    /// `NORTHGATE_TEST_STORE` selects the store: `memory`, the default, or `disk`.
    pub fn with(adjust: impl FnOnce(&mut Settings)) -> Self {
        Self::launch(chosen_store(), tempfile::tempdir().unwrap(), adjust)
    }

    /// As [`TestServer::with`], for a test that needs the store in memory.
    pub fn in_memory(adjust: impl FnOnce(&mut Settings)) -> Self {
        Self::launch(in_memory, PathBuf::new(), adjust)
    }

    /// Starts a server that stores its events in this folder, for a test that restarts it.
    pub fn on_disk(folder: &Path) -> Self {
        Self::launch(on_disk, folder.to_owned(), |_| ())
    }

    /// Builds and runs the server with the same two calls as the binary. The thread owns the folder
    /// of the store, so a temporary folder is removed when the server has ended.
    fn launch(
        store: Store,
        folder: impl AsRef<Path> + Send + 'static,
        adjust: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings::default();
        settings.server.port = 0;
        settings.server.workers = 2.try_into().unwrap();
        settings.generator.interval = GeneratorInterval::OFF;
        adjust(&mut settings);
        let (stop, stopped) = oneshot::channel();
        let (bound, address) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let application = store(settings, folder.as_ref()).build().await.unwrap();
                bound.send(application.address()).unwrap();
                let stopped = async { stopped.await.unwrap_or("the end of the test") };
                application.run_until_stopped(stopped).await.unwrap();
            });
        });
        let client = Client::new(address.recv().unwrap());
        Self { client, stop: Some(stop), thread: Some(thread) }
    }

    /// Asks the server to stop, and returns immediately.
    pub fn begin_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send("the test");
        }
    }

    /// Stops the server, and waits until it has ended.
    pub fn stopped(mut self) {
        self.join();
    }

    fn join(&mut self) {
        self.begin_stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the server panicked");
        }
    }
}

impl Deref for TestServer {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.join();
    }
}
