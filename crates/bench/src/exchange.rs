//! One request and its answer at a time, over a connection that stays.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::http::{Answer, AnswerReader};

/// How long connecting, a write, or the next part of an answer may take.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct Exchange {
    stream: TcpStream,
    answers: AnswerReader,
}

impl Exchange {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        Ok(Self { stream, answers: AnswerReader::default() })
    }

    /// Sends one request and reads its answer.
    pub(crate) fn ask(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request)?;
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.answers.feed(buffer.get(..read).unwrap_or_default()),
            }
            if let Some(answer) = self.answers.take().map_err(io::Error::other)? {
                return Ok(answer);
            }
        }
    }
}
