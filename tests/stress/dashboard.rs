//! A dashboard over WebSocket or SSE: reads every kind of item and recognises every kind of end of
//! a stream.

use northgate_testkit::{EventStream, RawSocket, Record, UPGRADE, connect};
use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    WebSocket,
    ServerSent,
}

impl Transport {
    pub const BOTH: [Self; 2] = [Self::WebSocket, Self::ServerSent];
}

/// One item of a stream.
#[derive(Debug, PartialEq, Eq)]
pub enum StreamItem {
    /// An event, at this offset.
    Event(u64),
    /// A `resume` frame: the stream continues after this offset. `complete` is false if there is a
    /// gap.
    Resumed { complete: bool, offset: u64 },
    /// A `live` frame: all events up to this offset have been sent.
    Live(u64),
    /// An `error` frame about a message of this client.
    ErrorMessage,
    /// The delay before the next connect, in milliseconds.
    Retry(u64),
    /// A Close frame. The code is 0 if the frame has none.
    Close { code: u16, reason: String },
    /// The connection was closed at the end of an item.
    End,
}

pub struct Dashboard {
    link: Link,
    /// The JSON of the last item that had JSON.
    pub json: String,
    /// The position in the last item that had a position.
    pub position: String,
}

enum Link {
    Frames(RawSocket),
    Records(EventStream),
}

impl Dashboard {
    /// Opens a stream for a query, after the position `after` if there is one. Returns an error if
    /// the server refuses the stream.
    pub fn connect(
        address: SocketAddr,
        transport: Transport,
        query: &str,
        after: Option<&str>,
    ) -> io::Result<Self> {
        Self::on(connect(address), transport, query, after)
    }

    /// Like `connect`, on a connection that the caller has opened.
    pub fn on(
        stream: TcpStream,
        transport: Transport,
        query: &str,
        after: Option<&str>,
    ) -> io::Result<Self> {
        let request = request(transport, query, after);
        let link = match transport {
            Transport::WebSocket => Link::Frames(RawSocket::open(stream, &request)?),
            Transport::ServerSent => {
                let stream = EventStream::open(stream, &request)?;
                if stream.head.status != 200 {
                    return Err(io::Error::other(stream.head.head));
                }
                Link::Records(stream)
            }
        };
        Ok(Self { link, json: String::new(), position: String::new() })
    }

    pub fn transport(&self) -> Transport {
        match self.link {
            Link::Frames(_) => Transport::WebSocket,
            Link::Records(_) => Transport::ServerSent,
        }
    }

    /// Reads the next item and answers pings. An error means that the connection broke.
    pub fn next(&mut self) -> io::Result<StreamItem> {
        let item = match self.transport() {
            Transport::WebSocket => self.next_frame(),
            Transport::ServerSent => self.next_record(),
        }?;
        if let Some(item) = item { Ok(item) } else { self.item_of_json() }
    }

    /// The item that `self.json` describes.
    fn item_of_json(&mut self) -> io::Result<StreamItem> {
        let member = |name| member(&self.json, name);
        let kind = member("type").unwrap_or_else(|| panic!("JSON without a type: {}", self.json));
        if kind == "error" {
            return Ok(StreamItem::ErrorMessage);
        }
        if kind == "busy" {
            return Err(io::Error::other("busy"));
        }
        let position =
            member("position").unwrap_or_else(|| panic!("JSON without a position: {}", self.json));
        let item = match kind {
            "resume" => StreamItem::Resumed {
                complete: member("outcome") == Some("complete"),
                offset: offset(position),
            },
            "live" => StreamItem::Live(offset(position)),
            "alert" | "chat" => StreamItem::Event(offset(position)),
            _ => panic!("unexpected type: {}", self.json),
        };
        position.clone_into(&mut self.position);
        Ok(item)
    }

    /// Reads the next item. `None` means that `self.json` now contains the item.
    fn next_frame(&mut self) -> io::Result<Option<StreamItem>> {
        loop {
            let Link::Frames(socket) = &mut self.link else { unreachable!() };
            let Some((first, payload)) = socket.try_read_frame()? else {
                return Ok(Some(StreamItem::End));
            };
            match first {
                0x81 => {
                    self.json = String::from_utf8(payload).unwrap();
                    return Ok(None);
                }
                0x88 => {
                    let code = payload.get(..2).map_or(0, |c| u16::from_be_bytes([c[0], c[1]]));
                    let reason = String::from_utf8(payload.get(2..).unwrap_or(b"").to_vec());
                    return Ok(Some(StreamItem::Close { code, reason: reason.unwrap() }));
                }
                0x89 => socket.send_frame(0x8A, &payload),
                0x8A => {}
                _ => panic!("a frame that begins with {first:#x}"),
            }
        }
    }

    /// Reads the next item. `None` means that `self.json` now contains the item.
    fn next_record(&mut self) -> io::Result<Option<StreamItem>> {
        let Link::Records(stream) = &mut self.link else { unreachable!() };
        let Some(record) = stream.try_next_record()? else { return Ok(Some(StreamItem::End)) };
        if let Some(delay) = record.retry {
            let alone = Record { retry: record.retry, ..Record::default() };
            assert_eq!(record, alone, "a record with `retry` has no other field");
            return Ok(Some(StreamItem::Retry(delay)));
        }
        self.json = record.data.expect("a record has data");
        assert_eq!(record.id.as_deref(), member(&self.json, "position"), "{}", self.json);
        let kind = member(&self.json, "type");
        assert_eq!(record.event.as_deref(), kind.filter(|kind| !matches!(*kind, "alert" | "chat")));
        Ok(None)
    }

    /// The TCP connection of the stream.
    pub fn tcp(&self) -> &TcpStream {
        match &self.link {
            Link::Frames(socket) => socket.tcp(),
            Link::Records(stream) => stream.tcp(),
        }
    }

    /// Sends raw bytes. Ignores errors, since the server may have closed the connection.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.tcp().write_all(bytes);
    }

    /// Shuts down the sending half without a Close frame.
    pub fn half_close(&self) {
        let _ = self.tcp().shutdown(Shutdown::Write);
    }

    /// Reads up to `bytes` bytes and disconnects, possibly in the middle of an item.
    pub fn tear(self, bytes: usize) -> io::Result<()> {
        match self.link {
            Link::Frames(socket) => socket.tear(bytes),
            Link::Records(stream) => stream.tear(bytes),
        }
    }
}

/// The HTTP request that opens a stream.
pub fn request(transport: Transport, query: &str, after: Option<&str>) -> String {
    let host = "Host: localhost\r\n";
    match transport {
        Transport::WebSocket => {
            let after = after.map(|after| format!("after={after}")).unwrap_or_default();
            format!("GET /ws?{query}&{after} HTTP/1.1\r\n{host}{UPGRADE}\r\n")
        }
        Transport::ServerSent => {
            let id = after.map(|after| format!("Last-Event-ID: {after}\r\n")).unwrap_or_default();
            format!("GET /events?{query} HTTP/1.1\r\n{host}{id}\r\n")
        }
    }
}

/// The value of a text member, found without a JSON parser. A match inside another value is
/// impossible, since JSON escapes quotes.
pub fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let (_, behind) = json.split_once(&format!("\"{name}\":\""))?;
    behind.split_once('"').map(|(text, _)| text)
}

/// The offset in a position: the number after the dash.
pub fn offset(position: &str) -> u64 {
    position.rsplit_once('-').and_then(|(_, offset)| offset.parse().ok()).expect(position)
}
