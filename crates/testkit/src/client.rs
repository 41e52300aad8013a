//! A client of one server: requests and streams, each on a separate connection.

use crate::connection::{connect, try_connect};
use crate::event_stream::EventStream;
use crate::http::HttpResponse;
use crate::raw_socket::RawSocket;
use crate::websocket::WebSocket;
use serde_json::{Value, json};
use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

/// Header line for a JSON body.
pub const JSON: &str = "Content-Type: application/json\r\n";

/// A client of the server at one address.
#[derive(Debug, Clone, Copy)]
pub struct Client(SocketAddr);

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self(address)
    }

    pub fn address(self) -> SocketAddr {
        self.0
    }

    #[track_caller]
    pub fn connect(self) -> TcpStream {
        connect(self.0)
    }

    /// Sends one request. `headers` consists of complete lines. If the first line is a `Host`
    /// header, this line replaces the default `Host`.
    #[track_caller]
    pub fn request(
        self,
        method: &str,
        path: &str,
        headers: &str,
        body: impl AsRef<[u8]>,
    ) -> HttpResponse {
        self.try_request(method, path, headers, body).expect("a complete response")
    }

    /// Like [`Client::request`], but returns an error, because the server may stop at any time.
    pub fn try_request(
        self,
        method: &str,
        path: &str,
        headers: &str,
        body: impl AsRef<[u8]>,
    ) -> io::Result<HttpResponse> {
        let body = body.as_ref();
        let mut request = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
        if !headers.starts_with("Host:") {
            write!(request, "Host: {}\r\n", self.0)?;
        }
        if !body.is_empty() || method == "POST" {
            write!(request, "Content-Length: {}\r\n", body.len())?;
        }
        write!(request, "{headers}\r\n")?;
        request.extend(body);
        let mut stream = BufReader::new(try_connect(self.0)?);
        // A server that refuses a body may close before the complete body is written. The server's
        // response still counts, so the write error is ignored.
        let _ = stream.get_mut().write_all(&request);
        match method {
            "HEAD" => HttpResponse::read_head(&mut stream),
            _ => HttpResponse::read(&mut stream),
        }
    }

    #[track_caller]
    pub fn get(self, path: &str) -> HttpResponse {
        self.request("GET", path, "", b"")
    }

    #[track_caller]
    pub fn post(self, path: &str, body: impl AsRef<[u8]>) -> HttpResponse {
        self.request("POST", path, JSON, body)
    }

    /// Raises an alert at `North Gate`, and returns the response's JSON.
    #[track_caller]
    pub fn raise(self, message: &str) -> Value {
        self.raise_at("North Gate", message)
    }

    /// Raises an alert, and returns the response's JSON.
    #[track_caller]
    pub fn raise_at(self, location: &str, message: &str) -> Value {
        self.publish("/alerts", &json!({ "message": message, "location": location }))
    }

    /// Sends a chat message, and returns the response's JSON.
    #[track_caller]
    pub fn say(self, message: &str) -> Value {
        self.publish("/message/", &json!({ "sender": "Operator 1", "message": message }))
    }

    #[track_caller]
    fn publish(self, path: &str, body: &Value) -> Value {
        let response = self.post(path, body.to_string());
        assert_eq!(response.status, 200, "{response:?}");
        response.json()
    }

    /// Opens a WebSocket that receives new events only.
    #[track_caller]
    pub fn socket(self) -> WebSocket {
        self.try_socket("").unwrap()
    }

    /// Opens a WebSocket with this query, which has no question mark.
    #[track_caller]
    pub fn socket_with(self, query: &str) -> WebSocket {
        self.try_socket(query).unwrap()
    }

    /// Like [`Client::socket_with`], but returns an error, because the server may stop at any time.
    pub fn try_socket(self, query: &str) -> io::Result<WebSocket> {
        WebSocket::connect(self.0, &format!("/ws?{query}"))
    }

    /// Opens a WebSocket that may violate the protocol.
    #[track_caller]
    pub fn raw_socket(self) -> RawSocket {
        RawSocket::connect(self.0)
    }

    /// Opens a stream of server-sent events. `query` begins with a question mark, or is empty.
    #[track_caller]
    pub fn event_stream(self, query: &str, headers: &str) -> EventStream {
        let request = format!("GET /events{query} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", self.0);
        EventStream::open(self.connect(), &request).unwrap()
    }
}
