//! WebSocket frames of a client: a parser for unmasked frames, and builders for masked control
//! frames.

use thiserror::Error;

/// Opcode of a frame that continues a fragmented message.
const CONTINUATION: u8 = 0x0;
const OPCODE: u8 = 0x0F;
const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;

pub(crate) const TEXT: u8 = 0x1;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// One complete frame, which borrows the read buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    pub(crate) payload: &'a [u8],
}

/// Frames that a server must not send to a client without extensions, or that the bench does not
/// expect.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum FrameError {
    #[error("the server masked a frame")]
    Masked,
    #[error("the server set reserved bits")]
    Reserved,
    #[error("the server fragmented an event")]
    Fragmented,
    #[error("the server announced a frame that is longer than the address space")]
    TooLong,
}

/// Splits the first frame off `bytes`; `None` while this frame is incomplete.
pub(crate) fn split(bytes: &[u8]) -> Result<Option<(Frame<'_>, &[u8])>, FrameError> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    if first & RESERVED != 0 {
        return Err(FrameError::Reserved);
    }
    let opcode = first & OPCODE;
    if first & FINAL == 0 || opcode == CONTINUATION {
        return Err(FrameError::Fragmented);
    }
    if second & MASKED != 0 {
        return Err(FrameError::Masked);
    }
    let Some((length, rest)) = split_length(*second, rest) else {
        return Ok(None);
    };
    let length = usize::try_from(length).map_err(|_| FrameError::TooLong)?;
    Ok(rest.split_at_checked(length).map(|(payload, rest)| (Frame { opcode, payload }, rest)))
}

/// Reads the length of the payload. The length is in `second`, or in the 2 or 8 bytes after it (RFC
/// 6455, section 5.2).
fn split_length(second: u8, rest: &[u8]) -> Option<(u64, &[u8])> {
    match second {
        126 => rest
            .split_first_chunk()
            .map(|(length, rest)| (u64::from(u16::from_be_bytes(*length)), rest)),
        127 => rest.split_first_chunk().map(|(length, rest)| (u64::from_be_bytes(*length), rest)),
        short => Some((u64::from(short), rest)),
    }
}

/// Returns the payload length of a frame with `frame` bytes, header included.
pub(crate) const fn payload_len(frame: usize) -> usize {
    match frame {
        0..=127 => frame.saturating_sub(2),
        128..=65_539 => frame - 4,
        _ => frame - 10,
    }
}

/// Appends an unmasked text frame to `out`, as the floor sends it.
pub(crate) fn text(payload: &[u8], out: &mut Vec<u8>) {
    out.push(FINAL | TEXT);
    if let Ok(length @ 0..=125) = u8::try_from(payload.len()) {
        out.push(length);
    } else if let Ok(length) = u16::try_from(payload.len()) {
        out.push(126);
        out.extend_from_slice(&length.to_be_bytes());
    } else {
        out.push(127);
        out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    }
    out.extend_from_slice(payload);
}

/// Returns the answer to a ping.
pub(crate) fn pong(payload: &[u8]) -> Vec<u8> {
    control(PONG, payload)
}

/// Returns a Close frame to the server. For an echo, `payload` is the payload of the server's Close
/// frame.
pub(crate) fn close(payload: &[u8]) -> Vec<u8> {
    control(CLOSE, payload)
}

/// Returns a masked control frame. Clients must mask their frames. Masks protect proxies, and there
/// is no proxy here, so the mask is zero.
fn control(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len().min(125)).unwrap_or(125);
    let mut frame = vec![FINAL | opcode, MASKED | length, 0, 0, 0, 0];
    frame.extend(payload.iter().take(usize::from(length)));
    frame
}

/// Returns the code of a Close frame, or 1005 if the frame has no code (RFC 6455, section 7.1.5).
pub(crate) fn close_code(payload: &[u8]) -> u16 {
    payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(lengths: &[usize]) -> (Vec<u8>, Vec<Vec<u8>>) {
        let payloads: Vec<Vec<u8>> = lengths.iter().map(|&n| vec![b'x'; n]).collect();
        let mut bytes = Vec::new();
        for payload in &payloads {
            text(payload, &mut bytes);
        }
        (bytes, payloads)
    }

    fn drain(bytes: &[u8], found: &mut Vec<Vec<u8>>) -> Vec<u8> {
        let mut rest = bytes;
        while let Some((frame, after)) = split(rest).unwrap() {
            assert_eq!(frame.opcode, TEXT);
            found.push(frame.payload.to_vec());
            rest = after;
        }
        rest.to_vec()
    }

    #[test]
    fn frames_divided_at_any_byte_are_parsed_completely() {
        let (bytes, payloads) = stream(&[0, 1, 125, 126, 300]);
        for cut in 0..=bytes.len() {
            let mut found = Vec::new();
            let mut carry = drain(&bytes[..cut], &mut found);
            carry.extend_from_slice(&bytes[cut..]);
            assert!(drain(&carry, &mut found).is_empty());
            assert_eq!(found, payloads, "cut at {cut}");
        }
    }

    #[test]
    fn all_three_header_lengths_are_read() {
        for (length, header) in [(125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let (bytes, payloads) = stream(&[length]);
            assert_eq!(bytes.len(), header + length);
            assert_eq!(payload_len(bytes.len()), length);
            let mut found = Vec::new();
            assert!(drain(&bytes, &mut found).is_empty());
            assert_eq!(found, payloads);
        }
    }

    #[test]
    fn frames_that_a_server_must_not_send_are_errors() {
        assert_eq!(split(&[0x81, 0x80, 0]), Err(FrameError::Masked));
        assert_eq!(split(&[0xC1, 0x00]), Err(FrameError::Reserved));
        assert_eq!(split(&[0x01, 0x00]), Err(FrameError::Fragmented));
        assert_eq!(split(&[0x80, 0x00]), Err(FrameError::Fragmented));
    }

    #[test]
    fn control_frames_to_the_server_are_masked_with_zero() {
        assert_eq!(pong(b"hi"), [0x8A, 0x82, 0, 0, 0, 0, b'h', b'i']);
        assert_eq!(close(&1000_u16.to_be_bytes())[..2], [0x88, 0x82]);
        assert_eq!(close_code(&[0x03, 0xE9, b'x']), 1001);
        assert_eq!(close_code(&[]), 1005);
    }
}
