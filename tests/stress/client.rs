//! A dashboard, over WebSocket or SSE: it shows what its stream says, and every way in which a
//! stream ends.

use crate::exchange::{Chunks, read_head};
use northgate_tests::{RawSocket, connect};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    WebSocket,
    ServerSent,
}

impl Transport {
    pub const BOTH: [Self; 2] = [Self::WebSocket, Self::ServerSent];
}

/// What a stream says.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// An event, at this offset.
    Event(u64),
    /// The stream goes on after this offset, with or without a gap.
    Resumed { complete: bool, offset: u64 },
    /// Nothing up to this offset is still to come.
    Live(u64),
    /// A complaint about what this client said.
    Complaint,
    /// When to connect again, in milliseconds.
    Retry(u64),
    /// A Close frame, or nothing more.
    Close { code: u16, reason: String },
    /// The stream has ended in good order.
    End,
}

pub struct Dashboard {
    link: Link,
    /// The JSON of what was said last.
    pub json: String,
    /// The last position that was named.
    pub position: String,
}

enum Link {
    Frames(BufReader<TcpStream>),
    Records(BufReader<Chunks<BufReader<TcpStream>>>),
}

impl Dashboard {
    /// A stream of what the query asks for, from a position on if one is given. An error if the
    /// server does not take it.
    pub fn connect(
        address: SocketAddr,
        transport: Transport,
        query: &str,
        after: Option<&str>,
    ) -> io::Result<Self> {
        Self::on(connect(address), transport, query, after)
    }

    /// The same on a connection that the client has made its own way.
    pub fn on(
        mut stream: TcpStream,
        transport: Transport,
        query: &str,
        after: Option<&str>,
    ) -> io::Result<Self> {
        stream.write_all(request(transport, query, after).as_bytes())?;
        let mut reader = BufReader::new(stream);
        let status = read_head(&mut reader)?.status;
        let link = match (transport, status) {
            (Transport::WebSocket, 101) => Link::Frames(reader),
            (Transport::ServerSent, 200) => Link::Records(BufReader::new(Chunks::new(reader))),
            _ => return Err(io::Error::other(format!("status {status}"))),
        };
        Ok(Self { link, json: String::new(), position: String::new() })
    }

    pub fn transport(&self) -> Transport {
        match self.link {
            Link::Frames(_) => Transport::WebSocket,
            Link::Records(_) => Transport::ServerSent,
        }
    }

    /// The next thing that is said. Pings are answered. An error is a connection that broke.
    pub fn next(&mut self) -> io::Result<Said> {
        let said = match self.transport() {
            Transport::WebSocket => self.next_frame(),
            Transport::ServerSent => self.next_record(),
        }?;
        if let Some(said) = said { Ok(said) } else { self.named() }
    }

    /// What the JSON says.
    fn named(&mut self) -> io::Result<Said> {
        let member = |name| member(&self.json, name);
        let kind = member("type").unwrap_or_else(|| panic!("no type: {}", self.json));
        if kind == "error" {
            return Ok(Said::Complaint);
        }
        if kind == "busy" {
            return Err(io::Error::other("busy"));
        }
        let position = member("position").unwrap_or_else(|| panic!("no place: {}", self.json));
        let said = match kind {
            "resume" => Said::Resumed {
                complete: member("outcome") == Some("complete"),
                offset: offset(position),
            },
            "live" => Said::Live(offset(position)),
            "alert" | "chat" => Said::Event(offset(position)),
            _ => panic!("what is this? {}", self.json),
        };
        position.clone_into(&mut self.position);
        Ok(said)
    }

    /// The next text, or what else was said.
    fn next_frame(&mut self) -> io::Result<Option<Said>> {
        loop {
            let Link::Frames(reader) = &mut self.link else { unreachable!() };
            if reader.fill_buf()?.is_empty() {
                return Ok(Some(Said::End));
            }
            let (first, payload) = read_frame(reader)?;
            match first {
                0x81 => {
                    self.json = String::from_utf8(payload).unwrap();
                    return Ok(None);
                }
                0x88 => {
                    let code = payload.get(..2).map_or(0, |c| u16::from_be_bytes([c[0], c[1]]));
                    let reason = String::from_utf8(payload.get(2..).unwrap_or(b"").to_vec());
                    return Ok(Some(Said::Close { code, reason: reason.unwrap() }));
                }
                0x89 => self.send(&RawSocket::frame(0x8A, &payload)),
                0x8A => {}
                _ => panic!("a frame that begins with {first:#x}"),
            }
        }
    }

    /// The next record with data, or what else was said.
    fn next_record(&mut self) -> io::Result<Option<Said>> {
        let Link::Records(reader) = &mut self.link else { unreachable!() };
        let (mut line, mut name, mut id) = (String::new(), None, None);
        let mut has_data = false;
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(Some(Said::End));
            }
            match line.trim_end_matches('\n').split_once(": ") {
                Some(("data", data)) => {
                    data.clone_into(&mut self.json);
                    has_data = true;
                }
                Some(("id", value)) => id = Some(value.to_owned()),
                Some(("event", value)) => name = Some(value.to_owned()),
                Some(("retry", value)) => {
                    let time = value.parse().unwrap();
                    assert_eq!(reader.read_line(&mut line)?, 1, "a retry stands by itself");
                    return Ok(Some(Said::Retry(time)));
                }
                None if line == "\n" && has_data => break,
                None if line == ":\n" || line == "\n" => {}
                _ => panic!("what is this? {line:?}"),
            }
        }
        assert_eq!(id.as_deref(), member(&self.json, "position"), "{}", self.json);
        let kind = member(&self.json, "type");
        assert_eq!(name.as_deref(), kind.filter(|kind| !matches!(*kind, "alert" | "chat")));
        Ok(None)
    }

    /// The connection underneath.
    pub fn tcp(&self) -> &TcpStream {
        match &self.link {
            Link::Frames(reader) => reader.get_ref(),
            Link::Records(reader) => reader.get_ref().inner.get_ref(),
        }
    }

    /// Sends bytes as they are. A server that has gone does not take them.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.tcp().write_all(bytes);
    }

    /// Ends this client's half without a word.
    pub fn half_close(&self) {
        let _ = self.tcp().shutdown(Shutdown::Write);
    }

    /// Takes some bytes of what comes next, whatever they are part of: nothing can be read after.
    pub fn tear(self, bytes: usize) -> io::Result<()> {
        match self.link {
            Link::Frames(mut reader) => tear(&mut reader, bytes),
            Link::Records(mut reader) => tear(&mut reader, bytes),
        }
    }
}

fn tear(reader: &mut impl BufRead, bytes: usize) -> io::Result<()> {
    let there = reader.fill_buf()?.len();
    reader.consume(there.min(bytes));
    Ok(())
}

/// What a client says to get a stream.
pub fn request(transport: Transport, query: &str, after: Option<&str>) -> String {
    let host = "Host: localhost\r\n";
    match transport {
        Transport::WebSocket => {
            let after = after.map(|after| format!("after={after}")).unwrap_or_default();
            format!(
                "GET /ws?{query}&{after} HTTP/1.1\r\n{host}Connection: Upgrade\r\n\
                 Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
        }
        Transport::ServerSent => {
            let id = after.map(|after| format!("Last-Event-ID: {after}\r\n")).unwrap_or_default();
            format!("GET /events?{query} HTTP/1.1\r\n{host}{id}\r\n")
        }
    }
}

/// The first byte of a frame, and its payload.
fn read_frame(reader: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut header = [0; 2];
    reader.read_exact(&mut header)?;
    let length = match header[1] {
        126 => {
            let mut length = [0; 2];
            reader.read_exact(&mut length)?;
            usize::from(u16::from_be_bytes(length))
        }
        short @ 0..126 => usize::from(short),
        // Nothing that the server says is longer, and nothing is masked.
        _ => return Err(ErrorKind::InvalidData.into()),
    };
    let mut payload = vec![0; length];
    reader.read_exact(&mut payload)?;
    Ok((header[0], payload))
}

/// The text of a member: in JSON, no text holds a bare quote that could be taken for it.
pub fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let (_, behind) = json.split_once(&format!("\"{name}\":\""))?;
    behind.split_once('"').map(|(text, _)| text)
}

/// The number behind the dash.
pub fn offset(position: &str) -> u64 {
    position.rsplit_once('-').and_then(|(_, offset)| offset.parse().ok()).expect(position)
}
