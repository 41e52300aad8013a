//! An HTTP client with one keep-alive connection and one request at a time.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::http::{Response, ResponseReader};

/// Time limit for connecting, for each write and for each read.
const IO_LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct HttpClient {
    stream: TcpStream,
    responses: ResponseReader,
}

impl HttpClient {
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, IO_LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(IO_LIMIT))?;
        stream.set_write_timeout(Some(IO_LIMIT))?;
        Ok(Self { stream, responses: ResponseReader::default() })
    }

    /// Sends one request and reads its response.
    pub(crate) fn send(&mut self, request: &[u8]) -> io::Result<Response> {
        self.stream.write_all(request)?;
        loop {
            self.responses.read_from(&self.stream)?;
            if let Some(response) = self.responses.take().map_err(io::Error::other)? {
                return Ok(response);
            }
        }
    }
}
