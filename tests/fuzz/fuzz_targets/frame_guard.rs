//! The guard before the WebSocket decoder: its result does not depend on how the stream is cut into
//! chunks, and the decoder accepts all passed frames and never exceeds the message limit.
#![no_main]

use actix_http::ws::{Codec, Frame, Item, ProtocolError};
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use northgate_ws::fuzzing::scan;
use tokio_util::codec::Decoder;

/// Upper bound of a message in bytes, small enough for the fuzzer to exceed.
const MAX_MESSAGE_BYTES: usize = 256;
/// Upper bound of fragments per message: one for each 64 bytes of [`MAX_MESSAGE_BYTES`].
const MAX_FRAGMENTS: usize = 4;

fuzz_target!(|input: (Vec<u8>, &[u8])| {
    let (lengths, stream) = input;
    let outcome = scan(stream, &lengths, MAX_MESSAGE_BYTES);
    assert_eq!(scan(stream, &[], MAX_MESSAGE_BYTES), outcome);

    let passed = outcome.ends.last().copied().unwrap_or(0);
    let mut passed = BytesMut::from(&stream[..passed]);
    let mut codec = Codec::new().max_size(MAX_MESSAGE_BYTES);
    let mut message = Vec::new();
    for _ in &outcome.ends {
        match codec.decode(&mut passed) {
            Ok(Some(Frame::Continuation(item))) => match item {
                Item::FirstText(bytes) | Item::FirstBinary(bytes) => message = vec![bytes],
                Item::Continue(bytes) | Item::Last(bytes) => message.push(bytes),
            },
            Ok(Some(Frame::Text(bytes) | Frame::Binary(bytes))) => {
                assert!(bytes.len() <= MAX_MESSAGE_BYTES);
            }
            Ok(Some(Frame::Ping(bytes) | Frame::Pong(bytes))) => assert!(bytes.len() <= 125),
            Ok(Some(Frame::Close(_))) => {}
            // The guard passes two kinds of invalid Close frames, which the decoder refuses: a
            // close code that no endpoint may send, and a payload of one byte. The decoder has then
            // consumed the frame.
            Err(ProtocolError::BadOpCode | ProtocolError::InvalidLength(1)) => {}
            other => panic!("{other:?}"),
        }
        assert!(message.len() <= MAX_FRAGMENTS);
        assert!(message.iter().map(|bytes| bytes.len()).sum::<usize>() <= MAX_MESSAGE_BYTES);
    }
    assert!(passed.is_empty(), "the decoder and the guard find the same ends of frames");
});
