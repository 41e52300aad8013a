//! A client for server-sent events that checks every line.

use crate::http::HttpResponse;
use serde_json::Value;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;

/// An open event stream.
pub struct EventStream {
    pub head: HttpResponse,
    body: BufReader<Body>,
}

/// The fields of one record; a record may lack any of them.
#[derive(Debug, Default, PartialEq)]
pub struct Record {
    pub event: Option<String>,
    pub id: Option<String>,
    pub data: Option<String>,
    pub retry: Option<u64>,
}

impl Record {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(self.data.as_deref().unwrap_or_else(|| panic!("{self:?}"))).unwrap()
    }

    /// Adds one line that is neither empty nor a comment.
    fn add(&mut self, line: &str) {
        let (field, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?}"));
        let place = match field {
            "event" => &mut self.event,
            "id" => &mut self.id,
            "data" => &mut self.data,
            "retry" => {
                assert_eq!(self.retry.replace(value.parse().unwrap()), None, "{line:?}");
                return;
            }
            _ => panic!("{line:?}"),
        };
        assert_eq!(place.replace(value.to_owned()), None, "{line:?}");
    }
}

impl EventStream {
    /// Sends `request`, and reads the head of the response.
    pub fn open(mut stream: TcpStream, request: &str) -> io::Result<Self> {
        stream.write_all(request.as_bytes())?;
        let mut stream = BufReader::new(stream);
        let head = HttpResponse::read_head(&mut stream)?;
        let length = head.content_length();
        let body = Body { stream, left: length.unwrap_or(0), is_chunked: length.is_none() };
        Ok(Self { head, body: BufReader::new(body) })
    }

    /// Returns the next record and skips comments; `None` after the end of the stream.
    #[track_caller]
    pub fn next_record(&mut self) -> Option<Record> {
        self.try_next_record().unwrap()
    }

    /// Like [`EventStream::next_record`], but returns an error if the connection breaks.
    pub fn try_next_record(&mut self) -> io::Result<Option<Record>> {
        let mut record = Record::default();
        let mut line = String::new();
        loop {
            line.clear();
            if self.body.read_line(&mut line)? == 0 {
                assert_eq!(record, Record::default(), "the stream ended within a record");
                return Ok(None);
            }
            match line.strip_suffix('\n').expect("the stream ended within a line") {
                "" if record != Record::default() => return Ok(Some(record)),
                "" => {}
                comment if comment.starts_with(':') => {}
                field => record.add(field),
            }
        }
    }

    /// Returns the name and the JSON of the next record. An event has no name.
    #[track_caller]
    pub fn next_event(&mut self) -> (Option<String>, Value) {
        let record = self.next_record().expect("the stream has ended");
        let json = record.json();
        assert_eq!(record.id.as_deref(), json["position"].as_str(), "{record:?}");
        (record.event, json)
    }

    /// Returns the TCP connection. `self` may already have read and buffered some bytes of the
    /// connection.
    pub fn tcp(&self) -> &TcpStream {
        self.body.get_ref().stream.get_ref()
    }

    /// Discards up to `bytes` further bytes, and closes the connection, possibly within a record.
    pub fn tear(mut self, bytes: usize) -> io::Result<()> {
        let there = self.body.fill_buf()?.len();
        self.body.consume(there.min(bytes));
        Ok(())
    }
}

/// Body of a response, either in chunks or with a Content-Length.
struct Body {
    stream: BufReader<TcpStream>,
    /// Bytes left in the current chunk, or in a body with a Content-Length.
    left: usize,
    /// Whether another chunk follows.
    is_chunked: bool,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && self.is_chunked {
            let mut size = String::new();
            if self.stream.read_line(&mut size)? == 0 {
                // The connection ended before the last chunk.
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.left = usize::from_str_radix(size.trim_end(), 16).unwrap();
            if self.left == 0 {
                self.is_chunked = false;
                self.end_chunk()?;
            }
        }
        let wanted = buffer.len().min(self.left);
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.stream.read(&mut buffer[..wanted])?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.left -= read;
        if self.left == 0 && self.is_chunked {
            self.end_chunk()?;
        }
        Ok(read)
    }
}

impl Body {
    fn end_chunk(&mut self) -> io::Result<()> {
        let mut end = [0; 2];
        self.stream.read_exact(&mut end)?;
        assert_eq!(&end, b"\r\n", "at the end of a chunk");
        Ok(())
    }
}
