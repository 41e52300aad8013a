//! A parser for server-sent events in a chunked HTTP response, for bytes divided at any point.

use httparse::Status;
use thiserror::Error;

#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum ChunkError {
    #[error("the event stream contains no valid chunk size")]
    NoSize,
    #[error("a chunk of the event stream does not end after its size")]
    NoEnd,
}

/// The bytes that were split off, and the bytes after them.
type Split<'a> = (&'a [u8], &'a [u8]);

/// Splits the first chunk off `bytes`; `None` while this chunk is incomplete. The last chunk of a
/// stream is empty.
pub(crate) fn split_chunk(bytes: &[u8]) -> Result<Option<Split<'_>>, ChunkError> {
    let Status::Complete((start, size)) =
        httparse::parse_chunk_size(bytes).map_err(|_| ChunkError::NoSize)?
    else {
        return Ok(None);
    };
    let size = usize::try_from(size).map_err(|_| ChunkError::NoSize)?;
    let Some((data, rest)) = bytes.get(start..).and_then(|rest| rest.split_at_checked(size)) else {
        return Ok(None);
    };
    match rest {
        [b'\r', b'\n', rest @ ..] => Ok(Some((data, rest))),
        [] | [b'\r'] => Ok(None),
        _ => Err(ChunkError::NoEnd),
    }
}

/// Splits the first complete record, with its empty line, off the text inside the chunks.
pub(crate) fn split_record(text: &[u8]) -> Option<Split<'_>> {
    let end = text.windows(2).position(|window| window == b"\n\n")?;
    text.split_at_checked(end + 2)
}

/// Returns the data of an event; `None` for comments and named records, which are not events.
pub(crate) fn event_data(record: &[u8]) -> Option<&[u8]> {
    let mut data = None;
    for line in record.split(|&byte| byte == b'\n') {
        if line.starts_with(b"event:") {
            return None;
        }
        if let Some(value) = line.strip_prefix(b"data:") {
            data = Some(value);
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"1c\r\nevent: live\nid: p\ndata: {}\n\n\r\n\
        18\r\nid: q\ndata: {\"a\":1}\n\n: x\r\n2\r\n\n\n\r\n0\r\n\r\n";

    fn records(parts: &[&[u8]]) -> Vec<Vec<u8>> {
        let (mut carry, mut text, mut found) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            carry.extend_from_slice(part);
            let mut rest = carry.as_slice();
            while let Some((data, after)) = split_chunk(rest).unwrap() {
                rest = after;
                text.extend_from_slice(data);
            }
            carry = rest.to_vec();
        }
        let mut rest = text.as_slice();
        while let Some((record, after)) = split_record(rest) {
            rest = after;
            found.push(record.to_vec());
        }
        assert!(carry.is_empty() && rest.is_empty());
        found
    }

    #[test]
    fn records_divided_at_any_byte_are_parsed_completely() {
        for cut in 0..=STREAM.len() {
            let found = records(&[&STREAM[..cut], &STREAM[cut..]]);
            let data: Vec<_> = found.iter().map(|record| event_data(record)).collect();
            let event: &[u8] = b" {\"a\":1}";
            assert_eq!(data, [None, Some(event), None], "cut at {cut}");
        }
    }

    #[test]
    fn a_stream_without_chunks_is_an_error() {
        assert_eq!(split_chunk(b"data: {}\n\n"), Err(ChunkError::NoSize));
        assert_eq!(split_chunk(b"2\r\nabX"), Err(ChunkError::NoEnd));
        assert_eq!(split_chunk(&[b'0'; 100]), Err(ChunkError::NoSize));
    }
}
