//! HTTP on a connection that the server may end at any moment: what is a failure elsewhere is an
//! answer here.

use std::io::{self, BufRead, ErrorKind, Read};

/// The beginning of an answer.
#[derive(Debug)]
pub struct Head {
    pub status: u16,
    /// What `Content-Length` says, or nothing.
    pub length: usize,
}

/// Reads the head of an answer.
pub fn read_head(reader: &mut impl BufRead) -> io::Result<Head> {
    let mut head = Head { status: 0, length: 0 };
    let mut line = String::new();
    // More lines than any head has.
    for number in 0..100 {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let text = line.trim_end();
        if number == 0 {
            head.status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        } else if text.is_empty() {
            return Ok(head);
        } else if let Some((name, value)) = text.split_once(": ")
            && name.eq_ignore_ascii_case("content-length")
        {
            head.length = value.parse().unwrap();
        }
    }
    panic!("a head without an end: {line:?}")
}

/// Reads a whole answer: its status and its body.
pub fn read_answer(reader: &mut impl BufRead) -> io::Result<(u16, Vec<u8>)> {
    let head = read_head(reader)?;
    let mut body = vec![0; head.length];
    reader.read_exact(&mut body)?;
    Ok((head.status, body))
}

/// Takes the chunks of a body apart.
pub struct Chunks<R> {
    pub inner: R,
    /// Of the chunk that is being read.
    left: usize,
    ended: bool,
}

impl<R: BufRead> Chunks<R> {
    pub fn new(inner: R) -> Self {
        Self { inner, left: 0, ended: false }
    }
}

impl<R: BufRead> Read for Chunks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        if self.left == 0 {
            let mut size = String::new();
            if self.inner.read_line(&mut size)? == 0 {
                // Without its last chunk a body is torn.
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.left = usize::from_str_radix(size.trim_end(), 16).unwrap();
            self.ended = self.left == 0;
        }
        let wanted = buffer.len().min(self.left);
        let read = self.inner.read(&mut buffer[..wanted])?;
        if wanted > 0 && read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.left -= read;
        if self.left == 0 {
            let mut end = [0; 2];
            self.inner.read_exact(&mut end)?;
            assert_eq!(&end, b"\r\n", "at the end of a chunk");
        }
        Ok(read)
    }
}
