//! One event as bytes, encoded once for all transports.

use bytes::{Buf, Bytes};
use northgate_domain::{Event, EventFilter, Facets, Position, Positioned};

/// Maximum size of a frame header without a mask, in bytes (RFC 6455 section 5.2).
const HEADER_ROOM: usize = 10;

/// FIN and the opcode of a text message (RFC 6455 section 5.2).
const FINAL_TEXT: u8 = 0x81;

/// Functions that encode events as text. They are plain function pointers, so an encoder is `Copy`
/// and needs no allocation.
#[derive(Debug, Clone, Copy)]
pub struct Encoder {
    /// Appends an event as one line of UTF-8.
    pub event: fn(&Positioned<Event>, &mut Vec<u8>),
    /// Appends a position as the `id` from which a client of an event stream resumes: at most 200
    /// bytes, without a line feed.
    pub position: fn(Position, &mut Vec<u8>),
}

/// An event, encoded once. One buffer contains, in this order, the header of a WebSocket frame, the
/// event's JSON, and the end of an event stream record; each transport sends a part of this buffer.
/// Frames from a server have no mask, so every socket sends the same bytes. Cloning shares the
/// buffer.
#[derive(Debug, Clone)]
pub struct Frame {
    position: Position,
    bytes: Bytes,
    header_len: u8,
    trailer_len: u8,
}

impl Frame {
    /// Encodes an event.
    pub fn encode(event: &Positioned<Event>, encoder: Encoder) -> Self {
        let mut buffer = buffer();
        (encoder.event)(event, &mut buffer);
        let payload_end = buffer.len();
        buffer.extend_from_slice(b"\nid: ");
        (encoder.position)(event.position, &mut buffer);
        buffer.extend_from_slice(b"\n\n");
        let trailer_len = u8::try_from(buffer.len() - payload_end);
        debug_assert!(trailer_len.is_ok(), "an encoded position has at most 200 bytes");
        let (bytes, header_len) = framed(buffer, payload_end);
        let trailer_len = trailer_len.unwrap_or(u8::MAX);
        Self { position: event.position, bytes, header_len, trailer_len }
    }

    /// Returns the position of the event.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Returns the size of the buffer in bytes.
    pub fn held_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the complete WebSocket text frame: header and payload.
    pub fn into_websocket(mut self) -> Bytes {
        self.bytes.truncate(self.bytes.len() - usize::from(self.trailer_len));
        self.bytes
    }

    /// Returns the text after `data: ` in an event stream: the event's JSON, the `id` line, and the
    /// empty line.
    pub fn into_event_stream(mut self) -> Bytes {
        self.bytes.advance(usize::from(self.header_len));
        self.bytes
    }
}

/// Encodes `json` as a WebSocket text frame.
pub fn text_frame(json: &str) -> Bytes {
    let mut buffer = buffer();
    buffer.extend_from_slice(json.as_bytes());
    let payload_end = buffer.len();
    framed(buffer, payload_end).0
}

/// The frame of an event, with the facets that filters compare.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) frame: Frame,
    facets: Facets,
}

impl Entry {
    pub(crate) fn encode(event: &Positioned<Event>, encoder: Encoder) -> Self {
        Self { frame: Frame::encode(event, encoder), facets: Facets::from(&event.value) }
    }

    /// Returns whether a cursor with this filter receives the event. A cursor without a filter
    /// receives every type except those that are sent only on request.
    pub(crate) fn is_for(&self, filter: Option<&EventFilter>) -> bool {
        match filter {
            Some(filter) => filter.matches(&self.facets),
            None => self.facets.kind.is_sent_unasked(),
        }
    }
}

/// Creates a buffer that starts with free space for the longest header. The actual length of the
/// header depends on the length of the payload.
fn buffer() -> Vec<u8> {
    let mut buffer = Vec::with_capacity(512);
    buffer.resize(HEADER_ROOM, 0);
    buffer
}

/// Writes the header of a text frame directly before the payload of a [`buffer`]; the payload ends
/// at `payload_end`. Returns the frame and the length of the header in bytes.
fn framed(mut buffer: Vec<u8>, payload_end: usize) -> (Bytes, u8) {
    let (header, header_len) = text_header(payload_end - HEADER_ROOM);
    // The window's byte limit counts the length of each frame, so the buffer must not have unused
    // capacity.
    buffer.shrink_to_fit();
    let start = HEADER_ROOM - usize::from(header_len);
    for (byte, slot) in
        header.into_iter().take(header_len.into()).zip(buffer.iter_mut().skip(start))
    {
        *slot = byte;
    }
    (Bytes::from(buffer).slice(start..), header_len)
}

/// Returns the header of an unmasked, unfragmented text frame, and its length in bytes.
#[expect(clippy::cast_possible_truncation, reason = "the range of each arm fits its width")]
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
    use crate::window::tests::{ENCODER, chat};

    #[test]
    fn the_header_uses_the_shortest_form() {
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
            let frame = Frame::encode(&event, ENCODER);
            assert_eq!(frame.position(), event.position);
            let mut json = Vec::new();
            (ENCODER.event)(&event, &mut json);
            let (header, len) = text_header(json.len());
            let websocket = [&header[..usize::from(len)], &json].concat();
            assert_eq!(frame.clone().into_websocket(), websocket);
            assert_eq!(text_frame(std::str::from_utf8(&json).unwrap()), websocket);
            let record = [&json[..], b"\nid: 7-1\n\n"].concat();
            assert_eq!(frame.clone().into_event_stream(), record);
            assert_eq!(frame.held_bytes(), usize::from(len) + record.len());
        }
    }
}
