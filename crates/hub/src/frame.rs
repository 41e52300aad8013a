//! One event as bytes, encoded once for every transport.

use bytes::{Buf, Bytes};
use northgate_domain::{Event, Position, Positioned};
use northgate_schemas::{EventFilter, Facets, PositionText, encode_event};
use std::fmt::Write;

/// The most bytes that a frame header without a mask can take (RFC 6455 section 5.2).
const HEADER_ROOM: usize = 10;

/// FIN and the opcode of a text message (RFC 6455 section 5.2).
const FINAL_TEXT: u8 = 0x81;

/// An event, encoded once. One buffer holds what each transport sends, one after the other: the
/// header of a WebSocket frame, the event's JSON, and the end of a record of an event stream.
/// Frames from a server carry no mask, so every socket gets these very bytes. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Frame {
    position: Position,
    bytes: Bytes,
    header_len: u8,
    trailer_len: u8,
}

impl Frame {
    /// Encodes an event.
    pub fn encode(event: &Positioned<Event>) -> Self {
        let mut trailer = String::with_capacity(48);
        // Writing to a string cannot fail.
        let _ = write!(trailer, "\nid: {}\n\n", PositionText(event.position));
        let (bytes, header_len) = framed(|json| encode_event(event, json), trailer.as_bytes());
        let trailer_len = u8::try_from(trailer.len()).unwrap_or(u8::MAX);
        debug_assert_eq!(usize::from(trailer_len), trailer.len(), "a position is short");
        Self { position: event.position, bytes, header_len, trailer_len }
    }

    /// Where the event stands.
    pub fn position(&self) -> Position {
        self.position
    }

    /// How many bytes it takes to hold this.
    pub fn held_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The whole WebSocket text frame, header and payload.
    pub fn into_websocket(mut self) -> Bytes {
        self.bytes.truncate(self.bytes.len() - usize::from(self.trailer_len));
        self.bytes
    }

    /// What follows `data: ` in an event stream: the event's JSON, its `id`, and the empty line.
    pub fn into_event_stream(mut self) -> Bytes {
        self.bytes.advance(usize::from(self.header_len));
        self.bytes
    }
}

/// A WebSocket text frame that holds `json`.
pub fn text_frame(json: &str) -> Bytes {
    framed(|buffer| buffer.extend_from_slice(json.as_bytes()), b"").0
}

/// An event's frame, and beside it what filters look at.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) frame: Frame,
    facets: Facets,
}

impl Entry {
    pub(crate) fn encode(event: &Positioned<Event>) -> Self {
        Self { frame: Frame::encode(event), facets: Facets::from(&event.value) }
    }

    /// Whether whoever has this filter, or none, is to get it.
    pub(crate) fn is_for(&self, filter: Option<&EventFilter>) -> bool {
        match filter {
            Some(filter) => filter.matches(&self.facets),
            None => self.facets.kind.is_sent_unasked(),
        }
    }
}

/// A text frame whose payload is what `write` writes, with `trailer` behind it, and the length of
/// its header.
fn framed(write: impl FnOnce(&mut Vec<u8>), trailer: &[u8]) -> (Bytes, u8) {
    // The header's length depends on the payload's: leave room, and let it end where the
    // payload begins.
    let mut buffer = Vec::with_capacity(512);
    buffer.resize(HEADER_ROOM, 0);
    write(&mut buffer);
    let (header, header_len) = text_header(buffer.len() - HEADER_ROOM);
    buffer.extend_from_slice(trailer);
    // The window counts bytes: what it does not count must not be held.
    buffer.shrink_to_fit();
    let start = HEADER_ROOM - usize::from(header_len);
    for (byte, slot) in
        header.into_iter().take(header_len.into()).zip(buffer.iter_mut().skip(start))
    {
        *slot = byte;
    }
    (Bytes::from(buffer).slice(start..), header_len)
}

/// The header of an unmasked, unfragmented text frame, and how many of its bytes count.
#[expect(clippy::cast_possible_truncation, reason = "each arm keeps within its width")]
fn text_header(payload: usize) -> ([u8; HEADER_ROOM], u8) {
    let mut header = [0; HEADER_ROOM];
    header[0] = FINAL_TEXT;
    match payload {
        0..=125 => {
            header[1] = payload as u8;
            (header, 2)
        }
        126..=0xFFFF => {
            header[1] = 126;
            header[2..4].copy_from_slice(&(payload as u16).to_be_bytes());
            (header, 4)
        }
        _ => {
            header[1] = 127;
            header[2..10].copy_from_slice(&(payload as u64).to_be_bytes());
            (header, 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::tests::chat;

    #[test]
    fn the_header_takes_the_shortest_form() {
        let header = |payload| {
            let (bytes, len) = text_header(payload);
            bytes[..usize::from(len)].to_vec()
        };
        assert_eq!(header(0), [0x81, 0]);
        assert_eq!(header(125), [0x81, 125]);
        assert_eq!(header(126), [0x81, 126, 0, 126]);
        assert_eq!(header(65_535), [0x81, 126, 0xFF, 0xFF]);
        assert_eq!(header(65_536), [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn each_transport_gets_its_part_of_one_buffer() {
        for length in [1, 200, 4_096] {
            let event = chat(1, &"x".repeat(length));
            let frame = Frame::encode(&event);
            assert_eq!(frame.position(), event.position);
            let mut json = Vec::new();
            encode_event(&event, &mut json);
            let (header, len) = text_header(json.len());
            let websocket = [&header[..usize::from(len)], &json].concat();
            assert_eq!(frame.clone().into_websocket(), websocket);
            assert_eq!(text_frame(std::str::from_utf8(&json).unwrap()), websocket);
            let record = [&json[..], b"\nid: 0000000000000007-1\n\n"].concat();
            assert_eq!(frame.clone().into_event_stream(), record);
            assert_eq!(frame.held_bytes(), usize::from(len) + record.len());
        }
    }
}
