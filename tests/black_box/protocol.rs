//! RFC 6455 on the wire: the opening handshake, fragments, control frames, and the closing
//! handshake.

use northgate_testkit::{RawSocket, TestServer, read_response};
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
fn an_invalid_upgrade_request_is_426_or_400() {
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
        // The HTTP decoder would not recognise these as WebSocket upgrades.
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
        assert_eq!(
            accepted.header(header),
            None,
            "the server accepts no extension and no subprotocol"
        );
    }
    server.request("POST", "/ws", &format!("{BASE}{VERSION}{KEY}"), b"").problem(405);

    let mut stream = server.connect();
    let old = format!("GET /ws HTTP/1.0\r\nHost: localhost\r\n{BASE}{VERSION}{KEY}\r\n");
    stream.write_all(old.as_bytes()).unwrap();
    read_response(&mut stream).problem(400);
}

#[test]
fn a_message_may_arrive_in_fragments_with_pings_between_them() {
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
fn a_message_may_arrive_byte_by_byte() {
    let server = TestServer::start();
    let mut socket = server.raw_socket();
    let whole = RawSocket::frame(TEXT, CHAT);
    let (head, tail) = CHAT.split_at(20);
    let in_fragments = [
        RawSocket::frame(FIRST_TEXT, head),
        RawSocket::frame(MIDDLE, b""),
        RawSocket::frame(LAST, tail),
    ];
    for byte in [&whole[..], &in_fragments.concat(), &whole].concat() {
        socket.send(&[byte]);
    }
    for _ in 0..3 {
        assert_eq!(message_of(&socket.read_frame()), "in pieces: é");
    }
}

#[test]
fn a_utf8_character_may_be_split_between_fragments() {
    let server = TestServer::start();
    let mut socket = server.raw_socket();
    let text = "é, €, and 🚨";
    let chat = format!(r#"{{"sender":"Op","message":"{text}"}}"#);
    for cut in 0..=chat.len() {
        let (head, tail) = chat.as_bytes().split_at(cut);
        socket.send(&[RawSocket::frame(FIRST_TEXT, head), RawSocket::frame(LAST, tail)].concat());
        assert_eq!(message_of(&socket.read_frame()), text);
    }
    // One fragment for every byte.
    let (last, others) = chat.as_bytes().split_last().unwrap();
    let mut frames = RawSocket::frame(FIRST_TEXT, b"");
    for byte in others {
        frames.extend(RawSocket::frame(MIDDLE, &[*byte]));
    }
    frames.extend(RawSocket::frame(LAST, &[*last]));
    socket.send(&frames);
    assert_eq!(message_of(&socket.read_frame()), text);
}

#[test]
fn many_messages_may_arrive_in_one_read() {
    let server = TestServer::start();
    let mut socket = server.raw_socket();
    // The default burst of the chat limit is 100 messages.
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
fn frames_at_the_boundaries_of_the_length_forms_arrive() {
    let server = TestServer::start();
    let mut socket = server.raw_socket();
    // The last length is that of the largest accepted message, and has the 8-byte form.
    for length in [60, 125, 126, 127, 128, 65_535, 65_536] {
        let chat = format!(r#"{{"sender":"Op","message":"{length}"}}"#);
        let padding = " ".repeat(length - chat.len());
        socket.send_frame(TEXT, (chat + &padding).as_bytes());
        assert_eq!(message_of(&socket.read_frame()), length.to_string());
    }
    socket.send_frame(TEXT, b"");
    assert!(message_of(&socket.read_frame()).starts_with("Invalid chat message."));
    // Frames from the server: from some hundred bytes to the largest possible event.
    for length in [1, 60, 200, 4_096] {
        let text = "🚨".repeat(length);
        let chat = format!(r#"{{"sender":"Op","message":"{text}"}}"#);
        socket.send_frame(TEXT, chat.as_bytes());
        assert_eq!(message_of(&socket.read_frame()), text);
    }
}

#[test]
fn a_close_is_answered_with_its_code_and_the_connection_ends() {
    let server = TestServer::start();
    for (payload, answer) in [
        (&b""[..], &b""[..]),
        (&[0x03, 0xE8], &[0x03, 0xE8]),
        (&[0x03, 0xE8, b'b', b'y', b'e'], &[0x03, 0xE8]),
        (&[0x03, 0xE9], &[0x03, 0xE9]),
    ] {
        let mut socket = server.raw_socket();
        socket.send_frame(CLOSE, payload);
        assert_eq!(socket.read_frame(), (CLOSE, answer.to_vec()));
        socket.assert_ended();
    }
}

#[test]
fn every_valid_close_code_is_echoed() {
    let server = TestServer::start();
    // The valid codes of RFC 6455 section 7.4 and of the IANA registry of close codes.
    for code in (1_000..=1_003).chain(1_007..=1_014).chain([3_000, 3_999, 4_000, 4_999]) {
        let mut socket = server.raw_socket();
        let code = u16::to_be_bytes(code);
        socket.send_frame(CLOSE, &[&code[..], &[b'x'; 123]].concat());
        assert_eq!(socket.read_frame(), (CLOSE, code.to_vec()));
        socket.assert_ended();
    }
}

#[test]
fn an_invalid_close_frame_is_closed_with_1002() {
    let server = TestServer::start();
    let mut socket = server.raw_socket();
    socket.send_frame(CLOSE, &[0x03]);
    socket.assert_closed_with(1002);
    for code in [0, 1, 999, 1_004, 1_005, 1_006, 1_015, 1_016, 1_100, 2_000, 2_999, 5_000, 65_535] {
        let mut socket = server.raw_socket();
        socket.send_frame(CLOSE, &u16::to_be_bytes(code));
        socket.assert_closed_with(1002);
    }
}

#[test]
fn a_close_reason_that_is_not_utf8_is_closed_with_1007() {
    let server = TestServer::start();
    for reason in [&b"\xff"[..], b"cut \xe2\x82", b"\xed\xa0\x80"] {
        let mut socket = server.raw_socket();
        // Byte by byte, so that the reason arrives after the code.
        for byte in RawSocket::frame(CLOSE, &[&[0x03, 0xE8], reason].concat()) {
            socket.send(&[byte]);
        }
        socket.assert_closed_with(1007);
    }
}

#[test]
fn frames_after_a_close_are_ignored() {
    let server = TestServer::start();
    let mut socket = server.raw_socket();
    let close = RawSocket::frame(CLOSE, &[0x03, 0xE8]);
    socket.send(&[close, RawSocket::frame(PING, b"x"), RawSocket::frame(TEXT, CHAT)].concat());
    assert_eq!(socket.read_frame(), (CLOSE, vec![0x03, 0xE8]));
    socket.assert_ended();
    assert_eq!(server.get("/message/").json()["count"], 0);
}

#[test]
fn a_close_is_accepted_in_the_middle_of_a_fragmented_message() {
    let server = TestServer::start();
    let mut socket = server.raw_socket();
    socket.send_frame(FIRST_TEXT, b"{\"sender\":");
    socket.send_frame(CLOSE, &[0x03, 0xE8]);
    assert_eq!(socket.read_frame(), (CLOSE, vec![0x03, 0xE8]));
    socket.assert_ended();
}

#[test]
fn messages_before_a_protocol_violation_are_stored() {
    let server = TestServer::start();
    let posted = RawSocket::frame(TEXT, CHAT);
    for (count, violation, code) in [
        (1, RawSocket::frame(0xC1, b"x"), 1002_u16),
        (2, RawSocket::frame(TEXT, b"\xff"), 1007),
        (3, RawSocket::frame(CLOSE, &[0x03, 0xEE]), 1002),
    ] {
        let mut socket = server.raw_socket();
        socket.send(&[posted.clone(), posted.clone(), violation].concat());
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
fn a_client_that_does_not_answer_pings_is_closed_with_4010() {
    let server = TestServer::with(|settings| {
        settings.heartbeat.interval = "50ms".parse().unwrap();
        settings.heartbeat.timeout = "50ms".parse().unwrap();
    });
    let mut silent = server.raw_socket();
    assert_eq!(silent.read_frame(), (PING, vec![]));
    silent.assert_closed_with(4010);
}

#[test]
fn a_client_that_answers_pings_stays_connected() {
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
