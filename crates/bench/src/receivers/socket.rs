//! One socket of a receiver, which stores incomplete frames and extracts events from bytes.

use std::io::Write;

use mio::net::TcpStream;

use super::stats::{Ending, ProtocolError, SocketRecorder};
use crate::connect::Protocol;
use crate::event_stream::{self, ChunkError};
use crate::frames::{self, FrameError};

/// State of a socket. This state, including one incomplete frame, is all the memory that the bench
/// needs per socket.
pub(super) struct ReceiverSocket {
    /// `None` when the socket has ended.
    pub(super) stream: Option<TcpStream>,
    protocol: Protocol,
    /// Start of a frame or chunk whose rest has not arrived yet.
    pub(super) carry: Vec<u8>,
    /// Start of a record that is divided over several chunks.
    text: Vec<u8>,
    close_code: Option<u16>,
}

impl ReceiverSocket {
    pub(super) fn new(stream: Option<TcpStream>, protocol: Protocol) -> Self {
        Self { stream, protocol, carry: Vec::new(), text: Vec::new(), close_code: None }
    }

    /// Returns how the socket ended: with the code of the Close frame if one has arrived, and with
    /// `otherwise` if not. After a Close frame every ending is correct, because the server may
    /// close the connection before it receives the echo.
    pub(super) fn ending(&self, otherwise: Ending) -> Ending {
        self.close_code.map_or(otherwise, Ending::Closed)
    }

    /// Counts all complete events, and stores the remaining bytes in `carry`.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        recorder: &mut SocketRecorder<'_>,
    ) -> Result<(), ProtocolError> {
        let rest = match self.protocol {
            Protocol::WebSocket => self.take_frames(bytes, recorder)?,
            Protocol::EventStream => self.take_chunks(bytes, recorder)?,
        };
        self.carry.clear();
        self.carry.extend_from_slice(rest);
        Ok(())
    }

    fn take_frames<'a>(
        &mut self,
        bytes: &'a [u8],
        recorder: &mut SocketRecorder<'_>,
    ) -> Result<&'a [u8], FrameError> {
        let mut rest = bytes;
        while let Some((frame, after)) = frames::split(rest)? {
            let wire_bytes = rest.len() - after.len();
            rest = after;
            match frame.opcode {
                frames::TEXT => recorder.record(frame.payload, wire_bytes),
                frames::PING => self.reply(&frames::pong(frame.payload)),
                frames::CLOSE => {
                    self.close_code = Some(frames::close_code(frame.payload));
                    self.reply(&frames::close(frame.payload));
                }
                _ => {}
            }
        }
        Ok(rest)
    }

    fn take_chunks<'a>(
        &mut self,
        bytes: &'a [u8],
        recorder: &mut SocketRecorder<'_>,
    ) -> Result<&'a [u8], ChunkError> {
        let mut rest = bytes;
        while let Some((data, after)) = event_stream::split_chunk(rest)? {
            rest = after;
            if self.text.is_empty() {
                // In the usual case a chunk contains only complete records, and nothing is copied.
                let left = take_records(data, recorder);
                self.text.extend_from_slice(left);
            } else {
                self.text.extend_from_slice(data);
                let left = take_records(&self.text, recorder).len();
                self.text.drain(..self.text.len() - left);
            }
        }
        Ok(rest)
    }

    /// Sends a control frame. If this fails, the next read reports how the socket ended.
    fn reply(&mut self, frame: &[u8]) {
        if let Some(stream) = self.stream.as_mut() {
            let _shown_by_read = stream.write(frame);
        }
    }
}

/// Counts the events in all complete records, and returns the remaining bytes.
fn take_records<'a>(text: &'a [u8], recorder: &mut SocketRecorder<'_>) -> &'a [u8] {
    let mut rest = text;
    while let Some((record, after)) = event_stream::split_record(rest) {
        rest = after;
        if let Some(data) = event_stream::event_data(record) {
            recorder.record(data, record.len());
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::super::stats::DeliveryRecorder;
    use super::*;
    use crate::marker::{MIN_TEXT, Marker, Run};

    /// Asserts that three events of a protocol, divided in two at every byte, are three deliveries.
    fn three_events_arrive(protocol: Protocol, encode: fn(&[u8]) -> Vec<u8>) {
        let run = Run::begin();
        let bytes: Vec<u8> = (0..3)
            .flat_map(|seq| {
                let mut text = [0; MIN_TEXT];
                run.write(Marker { publisher: 0, seq, due: 5000 }, &mut text);
                encode(&text)
            })
            .collect();
        for cut in 0..=bytes.len() {
            let mut recorder = DeliveryRecorder::new(&run, 1, 1).unwrap();
            let mut socket = ReceiverSocket::new(None, protocol);
            socket.take(&bytes[..cut], &mut recorder.at(0, 7)).unwrap();
            let joined = [socket.carry.as_slice(), &bytes[cut..]].concat();
            socket.take(&joined, &mut recorder.at(0, 8)).unwrap();
            let stats = recorder.conclude(&[3]);
            assert_eq!(stats.delivered, 3, "cut at {cut}");
            assert_eq!(stats.errors.missing, 0, "cut at {cut}");
        }
    }

    #[test]
    fn websocket_events_divided_at_any_byte_are_counted_once() {
        three_events_arrive(Protocol::WebSocket, |text| {
            let mut frame = Vec::new();
            frames::text(text, &mut frame);
            frame
        });
    }

    #[test]
    fn records_in_one_or_in_several_chunks_are_counted_once() {
        three_events_arrive(Protocol::EventStream, |text| {
            let record = [b"id: p\ndata: ", text, b"\n\n"].concat();
            [format!("{:x}\r\n", record.len()).as_bytes(), &record, b"\r\n"].concat()
        });
        three_events_arrive(Protocol::EventStream, |text| {
            let record = [b"data: ", text, b"\n\n"].concat();
            record
                .chunks(20)
                .flat_map(|part| {
                    [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat()
                })
                .collect()
        });
    }

    #[test]
    fn a_close_frame_determines_how_the_socket_ended() {
        let run = Run::begin();
        let mut recorder = DeliveryRecorder::new(&run, 1, 1).unwrap();
        let mut socket = ReceiverSocket::new(None, Protocol::WebSocket);
        assert_eq!(socket.ending(Ending::Cut), Ending::Cut);
        socket.take(&[0x88, 2, 0x03, 0xE9], &mut recorder.at(0, 1)).unwrap();
        assert_eq!(socket.ending(Ending::Reset), Ending::Closed(1001));
    }
}
