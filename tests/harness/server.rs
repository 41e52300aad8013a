//! The real application, in this process, on a thread of its own.

use crate::{Answer, EventStream, RawSocket, Socket, http};
use northgate_server::{Application, GeneratorInterval, Settings};
use serde_json::Value;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread::JoinHandle;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// A running server. It stops, in good order, when this is dropped.
pub struct TestServer {
    address: SocketAddr,
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
                let application = Application::build(&settings).unwrap();
                bound.send(application.address()).unwrap();
                let stopped = async { stopped.await.unwrap_or("the end of the test") };
                application.run_until_stopped(stopped).await.unwrap();
            });
        });
        let address = address.recv().unwrap();
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    /// Two servers with nothing in them: one keeps its events in memory, and one in a folder that
    /// goes with it.
    pub fn of_each_store() -> [(Self, Option<TempDir>); 2] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_str().unwrap().parse().unwrap();
        let on_disk = Self::with(|settings| settings.storage.data = Some(data));
        [(Self::start(), None), (on_disk, Some(folder))]
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn connect(&self) -> TcpStream {
        http::connect(self.address)
    }

    /// One request on a connection of its own.
    pub fn request(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let host = if headers.starts_with("Host:") {
            String::new()
        } else {
            format!("Host: {}\r\n", self.address)
        };
        let length = if body.is_empty() && method != "POST" {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let head = format!("{method} {path} HTTP/1.1\r\n{host}{length}{headers}\r\n");
        http::exchange(self.address, &[head.as_bytes(), body].concat(), method == "HEAD")
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "", b"")
    }

    pub fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.request("POST", path, "Content-Type: application/json\r\n", body.as_ref())
    }

    /// Raises an alert, and gives the answer's JSON.
    pub fn raise(&self, message: &str) -> Value {
        self.raise_at("North Gate", message)
    }

    /// A dashboard.
    pub fn socket(&self) -> Socket {
        Socket::connect(self.address, "/ws")
    }

    /// A dashboard that asks for more than what happens from now on.
    pub fn socket_with(&self, query: &str) -> Socket {
        Socket::connect(self.address, &format!("/ws?{query}"))
    }

    /// A stream of server-sent events; `query` begins with a question mark, or is empty.
    pub fn event_stream(&self, query: &str, headers: &str) -> EventStream {
        EventStream::connect(self.address, &format!("/events{query}"), headers)
    }

    /// Says something, and gives the answer's JSON.
    pub fn say(&self, message: &str) -> Value {
        let body = serde_json::json!({ "sender": "Operator 1", "message": message });
        let answer = self.post("/message/", body.to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Raises an alert at a place, and gives the answer's JSON.
    pub fn raise_at(&self, location: &str, message: &str) -> Value {
        let body = serde_json::json!({ "message": message, "location": location });
        let answer = self.post("/alerts", body.to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// A dashboard that may break every rule.
    pub fn raw_socket(&self) -> RawSocket {
        RawSocket::connect(self.address)
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

impl Drop for TestServer {
    fn drop(&mut self) {
        self.join();
    }
}
