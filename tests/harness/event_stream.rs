//! A client for server-sent events that shows every line as it came.

use crate::http::{self, Answer};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// An open stream.
pub struct EventStream {
    pub head: Answer,
    reader: BufReader<TcpStream>,
    /// What came and was not looked at yet.
    text: String,
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
    pub fn json(&self) -> Value {
        serde_json::from_str(self.data.as_deref().unwrap_or_else(|| panic!("{self:?}"))).unwrap()
    }
}

impl EventStream {
    pub(crate) fn connect(address: SocketAddr, path: &str, headers: &str) -> Self {
        let mut stream = http::connect(address);
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let head = http::read_answer(&mut stream, true);
        Self { head, reader: BufReader::new(stream), text: String::new() }
    }

    /// The next record, comments left out; `None` once the stream has ended.
    pub fn next_record(&mut self) -> Option<Record> {
        loop {
            let Some((block, rest)) = self.text.split_once("\n\n") else {
                self.read_chunk()?;
                continue;
            };
            let record = parse(block);
            self.text = rest.to_owned();
            if record != Record::default() {
                return Some(record);
            }
        }
    }

    /// The next record's name and JSON. An event has no name.
    pub fn next_event(&mut self) -> (Option<String>, Value) {
        let record = self.next_record().expect("the stream has ended");
        let json = record.json();
        assert_eq!(record.id.as_deref(), json["position"].as_str(), "{record:?}");
        (record.event, json)
    }

    /// Reads what comes next; `None` at the end of a body, which is told by its length or by an
    /// empty chunk.
    fn read_chunk(&mut self) -> Option<()> {
        if let Some(length) = self.head.header("content-length") {
            let mut body = String::new();
            self.reader.by_ref().take(length.parse().unwrap()).read_to_string(&mut body).unwrap();
            self.head.head.clear();
            self.text.push_str(&body);
            return Some(());
        }
        if self.head.head.is_empty() {
            return None;
        }
        let mut size = String::new();
        self.reader.read_line(&mut size).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        self.reader.read_exact(&mut chunk).unwrap();
        assert_eq!(&chunk[size..], b"\r\n");
        chunk.truncate(size);
        self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        (size > 0).then_some(())
    }
}

fn parse(block: &str) -> Record {
    let mut record = Record::default();
    for line in block.lines().filter(|line| !line.starts_with(':')) {
        let (field, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?}"));
        let place = match field {
            "event" => &mut record.event,
            "id" => &mut record.id,
            "data" => &mut record.data,
            "retry" => {
                record.retry = Some(value.parse().unwrap());
                continue;
            }
            _ => panic!("{line:?}"),
        };
        assert_eq!(place.replace(value.to_owned()), None, "{block}");
    }
    record
}
