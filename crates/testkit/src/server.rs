//! The real application, in this process, on a thread of its own.

use crate::client::Client;
use northgate_server::{Application, GeneratorInterval, Settings};
use std::ops::Deref;
use std::sync::mpsc;
use std::thread::JoinHandle;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// A running server. It stops, in good order, when this is dropped.
pub struct TestServer {
    client: Client,
    stop: Option<oneshot::Sender<&'static str>>,
    thread: Option<JoinHandle<()>>,
}

impl TestServer {
    /// A server with the defaults, without a generator.
    pub fn start() -> Self {
        Self::with(|_| ())
    }

    /// A server with settings of its own: built and run by the same two calls as the binary.
    pub fn with(adjust: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        settings.server.port = 0;
        settings.server.workers = 2.try_into().unwrap();
        settings.generator.interval = GeneratorInterval::OFF;
        adjust(&mut settings);
        let (stop, stopped) = oneshot::channel();
        let (bound, address) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let application = Application::builder(settings).build().await.unwrap();
                bound.send(application.address()).unwrap();
                let stopped = async { stopped.await.unwrap_or("the end of the test") };
                application.run_until_stopped(stopped).await.unwrap();
            });
        });
        let client = Client::new(address.recv().unwrap());
        Self { client, stop: Some(stop), thread: Some(thread) }
    }

    /// Two servers with nothing in them: one keeps its events in memory, and one in a folder that
    /// goes with it.
    pub fn of_each_store() -> [(Self, Option<TempDir>); 2] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_str().unwrap().parse().unwrap();
        let on_disk = Self::with(|settings| settings.storage.data = Some(data));
        [(Self::start(), None), (on_disk, Some(folder))]
    }

    /// Asks the server to stop, and does not wait for it.
    pub fn begin_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send("the test");
        }
    }

    /// Waits until the server is gone.
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
