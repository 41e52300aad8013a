//! One event as bytes: a WebSocket text frame whose payload is the event's JSON.

use bytes::Bytes;
use northgate_domain::{Event, Location, Position, Stamped};
use northgate_schemas::{EventFilter, EventType, encode_event, location_of};

/// The most bytes that a frame header without a mask can take (RFC 6455 section 5.2).
const HEADER_ROOM: usize = 10;

/// FIN and the opcode of a text message (RFC 6455 section 5.2).
const FINAL_TEXT: u8 = 0x81;

/// An event, encoded once. Frames from a server carry no mask, so every socket gets these very
/// bytes. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Frame {
    position: Position,
    bytes: Bytes,
    header_len: u8,
}

impl Frame {
    /// Encodes an event.
    pub fn encode(event: &Stamped<Event>) -> Self {
        let (bytes, header_len) = framed(|buffer| encode_event(event, buffer));
        Self { position: event.position, bytes, header_len }
    }

    /// Where the event stands.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The whole WebSocket frame, header and payload.
    pub fn websocket(&self) -> &Bytes {
        &self.bytes
    }

    /// The whole WebSocket frame, for good.
    pub fn into_websocket(self) -> Bytes {
        self.bytes
    }

    /// The payload alone: the event's JSON object.
    pub fn json(&self) -> Bytes {
        self.bytes.slice(usize::from(self.header_len)..)
    }
}

/// A WebSocket text frame that holds `json`.
pub fn text_frame(json: &str) -> Bytes {
    framed(|buffer| buffer.extend_from_slice(json.as_bytes())).0
}

/// An event's frame, and beside it what filters look at.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) frame: Frame,
    kind: EventType,
    location: Option<Location>,
}

impl Entry {
    pub(crate) fn encode(event: &Stamped<Event>) -> Self {
        Self {
            frame: Frame::encode(event),
            kind: EventType::of(&event.value),
            location: location_of(&event.value).cloned(),
        }
    }

    pub(crate) fn matches(&self, filter: &EventFilter) -> bool {
        filter.matches(self.kind, self.location.as_ref())
    }
}

/// A text frame whose payload is what `write` writes, and the length of its header.
fn framed(write: impl FnOnce(&mut Vec<u8>)) -> (Bytes, u8) {
    // The header's length depends on the payload's: leave room, and let it end where the
    // payload begins.
    let mut buffer = Vec::with_capacity(512);
    buffer.resize(HEADER_ROOM, 0);
    write(&mut buffer);
    // The window counts bytes: what it does not count must not be held.
    buffer.shrink_to_fit();
    let (header, header_len) = text_header(buffer.len() - HEADER_ROOM);
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
    fn a_frame_is_its_header_and_its_json() {
        for length in [1, 200, 4_096] {
            let event = chat(1, &"x".repeat(length));
            let frame = Frame::encode(&event);
            let mut json = Vec::new();
            encode_event(&event, &mut json);
            let (header, len) = text_header(json.len());
            assert_eq!(frame.json(), json);
            assert_eq!(frame.websocket()[..], [&header[..usize::from(len)], &json].concat());
            assert_eq!(frame.position(), event.position);
            let text = String::from_utf8(json).unwrap();
            assert_eq!(text_frame(&text), frame.into_websocket());
        }
    }
}
