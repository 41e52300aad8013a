//! RFC 6455 from the client's side of the wire: the handshake, fragments, control frames, and the
//! closing handshake.

use northgate_tests::{RawSocket, TestServer};
use std::io::Write;

const CHAT: &[u8] = br#"{"sender":"Op","message":"in pieces: \u00e9"}"#;

const TEXT: u8 = 0x81;
const FIRST_TEXT: u8 = 0x01;
const MIDDLE: u8 = 0x00;
const LAST: u8 = 0x80;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;

fn message_of(frame: &(u8, Vec<u8>)) -> String {
    assert_eq!(frame.0, TEXT);
    let json: serde_json::Value = serde_json::from_slice(&frame.1).unwrap();
    json["message"].as_str().unwrap().to_owned()
}

#[test]
fn a_request_that_is_no_valid_upgrade_is_told_so() {
    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const BASE: &str = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n";
    const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";
    let server = TestServer::start();
    let ask = |headers: String| server.request("GET", "/ws", &headers, b"");
    for (headers, status) in [
        (format!("{VERSION}{KEY}"), 426),
        (format!("Connection: Upgrade\r\nUpgrade: h2c\r\n{VERSION}{KEY}"), 426),
        (format!("Connection: close\r\nUpgrade: websocket\r\n{VERSION}{KEY}"), 426),
        (format!("{BASE}Sec-WebSocket-Version: 12\r\n{KEY}"), 426),
        (format!("{BASE}{KEY}"), 426),
        (format!("{BASE}{VERSION}"), 400),
        (format!("{BASE}{VERSION}Sec-WebSocket-Key: xx\r\n"), 400),
        (format!("{BASE}{VERSION}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n"), 400),
        (format!("{BASE}{VERSION}{KEY}{KEY}"), 400),
        // What the HTTP decoder would take for something else than a WebSocket.
        (format!("Connection: Upgrade\r\nUpgrade: foo, websocket\r\n{VERSION}{KEY}"), 400),
        (format!("{BASE}Upgrade: foo\r\n{VERSION}{KEY}"), 400),
        (format!("{BASE}{VERSION}{KEY}Content-Length: 5\r\n"), 400),
        (format!("{BASE}{VERSION}{KEY}Transfer-Encoding: chunked\r\n"), 400),
    ] {
        let answer = ask(headers.clone());
        answer.problem(status);
        if status == 426 {
            assert_eq!(answer.header("upgrade"), Some("websocket"), "{headers}");
            assert_eq!(answer.header("sec-websocket-version"), Some("13"), "{headers}");
        }
    }
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: x\r\n";
    let accepted = ask(format!("{BASE}{VERSION}{KEY}{offer}"));
    assert_eq!(accepted.status, 101);
    for header in ["sec-websocket-extensions", "sec-websocket-protocol"] {
        assert_eq!(accepted.header(header), None, "nothing that was offered is spoken");
    }
    server.request("POST", "/ws", &format!("{BASE}{VERSION}{KEY}"), b"").problem(405);

    let mut stream = server.connect();
    let old = format!("GET /ws HTTP/1.0\r\nHost: localhost\r\n{BASE}{VERSION}{KEY}\r\n");
    stream.write_all(old.as_bytes()).unwrap();
    northgate_tests::read_answer(&mut stream).problem(400);
}

#[test]
fn a_message_may_come_in_fragments_with_pings_between_them() {
    let server = TestServer::start();
    let mut socket = server.raw_socket();
    for cut in [0, 1, 30, CHAT.len() - 1, CHAT.len()] {
        let (head, tail) = CHAT.split_at(cut);
        socket.send_frame(FIRST_TEXT, head);
        socket.send_frame(PING, b"between");
        socket.send_frame(MIDDLE, b"");
        socket.send_frame(LAST, tail);
        assert_eq!(socket.read_frame(), (PONG, b"between".to_vec()));
        assert_eq!(message_of(&socket.read_frame()), "in pieces: é");
    }
}

#[test]
fn a_message_may_come_byte_by_byte() {
    let server = TestServer::start();
    let mut socket = server.raw_socket();
    for byte in RawSocket::frame(TEXT, CHAT) {
        socket.send(&[byte]);
    }
    assert_eq!(message_of(&socket.read_frame()), "in pieces: é");
}

#[test]
fn many_messages_may_come_in_one_piece() {
    let server = TestServer::start();
    let mut socket = server.raw_socket();
    // As many as the limit on chat lets a client say at once.
    let frames: Vec<_> = (0..100)
        .map(|n| {
            let chat = format!(r#"{{"sender":"Op","message":"{n}"}}"#);
            RawSocket::frame(TEXT, chat.as_bytes())
        })
        .collect();
    socket.send(&frames.concat());
    for n in 0..100 {
        assert_eq!(message_of(&socket.read_frame()), n.to_string());
    }
}

#[test]
fn pings_are_answered_with_their_payload_and_pongs_are_not_answered() {
    let server = TestServer::start();
    let mut socket = server.raw_socket();
    socket.send_frame(PONG, b"unasked");
    for payload in [&b""[..], b"x", &[0xFF; 125]] {
        socket.send_frame(PING, payload);
        assert_eq!(socket.read_frame(), (PONG, payload.to_vec()));
    }
}

#[test]
fn frames_of_every_length_form_arrive() {
    let server = TestServer::start();
    let mut socket = server.raw_socket();
    for length in [1, 60, 70, 200, 4_096] {
        let chat = format!(r#"{{"sender":"Op","message":"{}"}}"#, "x".repeat(length));
        socket.send_frame(TEXT, chat.as_bytes());
        assert_eq!(message_of(&socket.read_frame()).len(), length);
    }
    // The largest message that is taken, in the 8-byte form of the length.
    let padded = format!(r#"{{"sender":"Op","message":"largest"{}}}"#, " ".repeat(65_536 - 35));
    assert_eq!(padded.len(), 65_536);
    socket.send_frame(TEXT, padded.as_bytes());
    assert_eq!(message_of(&socket.read_frame()), "largest");
}

#[test]
fn a_close_is_answered_with_its_own_code_and_the_connection_ends() {
    let server = TestServer::start();
    for (payload, answer) in [
        (&b""[..], &b""[..]),
        (&[0x03, 0xE8], &[0x03, 0xE8]),
        (&[0x03, 0xE8, b'b', b'y', b'e'], &[0x03, 0xE8]),
        (&[0x03, 0xE9], &[0x03, 0xE9]),
        (&[0x13, 0x87], &[0x13, 0x87]),
    ] {
        let mut socket = server.raw_socket();
        socket.send_frame(CLOSE, payload);
        assert_eq!(socket.read_frame(), (CLOSE, answer.to_vec()));
        socket.assert_ended();
    }
}

#[test]
fn a_close_that_rfc_6455_forbids_is_a_protocol_error() {
    let server = TestServer::start();
    for payload in [&[0x03][..], &[0x03, 0xED], &[0x00, 0x00], &[0x03, 0xE8, 0xFF]] {
        let mut socket = server.raw_socket();
        socket.send_frame(CLOSE, payload);
        socket.assert_closed_with(1002);
    }
}

#[test]
fn a_close_in_the_middle_of_a_message_is_a_close() {
    let server = TestServer::start();
    let mut socket = server.raw_socket();
    socket.send_frame(FIRST_TEXT, b"{\"sender\":");
    socket.send_frame(CLOSE, &[0x03, 0xE8]);
    assert_eq!(socket.read_frame(), (CLOSE, vec![0x03, 0xE8]));
    socket.assert_ended();
}

#[test]
fn what_was_said_before_a_violation_is_kept() {
    let server = TestServer::start();
    let said = RawSocket::frame(TEXT, CHAT);
    for (count, violation, code) in [
        (1, RawSocket::frame(0xC1, b"x"), 1002_u16),
        (2, RawSocket::frame(TEXT, b"\xff"), 1007),
        (3, RawSocket::frame(CLOSE, &[0x03, 0xEE]), 1002),
    ] {
        let mut socket = server.raw_socket();
        socket.send(&[said.clone(), said.clone(), violation].concat());
        let mut frame = socket.read_frame();
        while frame.0 == TEXT {
            assert_eq!(message_of(&frame), "in pieces: é");
            frame = socket.read_frame();
        }
        assert_eq!((frame.0, &frame.1[..2]), (CLOSE, &code.to_be_bytes()[..]));
        assert_eq!(server.get("/message/").json()["count"], 2 * count);
    }
}

#[test]
fn a_silent_client_is_pinged_and_closed_with_4010_if_it_does_not_answer() {
    let server = TestServer::with(|settings| {
        settings.heartbeat.interval = "50ms".parse().unwrap();
        settings.heartbeat.timeout = "50ms".parse().unwrap();
    });
    let mut silent = server.raw_socket();
    assert_eq!(silent.read_frame(), (PING, vec![]));
    silent.assert_closed_with(4010);
}

#[test]
fn a_client_that_answers_pings_stays() {
    let server = TestServer::with(|settings| {
        settings.heartbeat.interval = "20ms".parse().unwrap();
    });
    let mut socket = server.raw_socket();
    for _ in 0..10 {
        assert_eq!(socket.read_frame(), (PING, vec![]));
        socket.send_frame(PONG, b"");
    }
    socket.send_frame(TEXT, CHAT);
    let mut frame = socket.read_frame();
    while frame.0 == PING {
        socket.send_frame(PONG, b"");
        frame = socket.read_frame();
    }
    assert_eq!(message_of(&frame), "in pieces: é");
}
