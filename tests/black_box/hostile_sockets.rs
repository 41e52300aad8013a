//! Hostile WebSocket clients: the server closes each with a code, and other clients are unaffected.

use northgate_testkit::{RawSocket, TestServer};

/// Runs an attack beside a healthy dashboard, which must still receive the next alert.
fn attack(server: &TestServer, attack: impl FnOnce(&mut RawSocket)) {
    let mut neighbour = server.socket();
    let mut socket = server.raw_socket();
    attack(&mut socket);
    let alert = server.raise("still here");
    assert_eq!(neighbour.next_json(), alert);
}

#[test]
fn frames_that_violate_the_protocol_are_closed_with_1002() {
    let server = TestServer::start();
    let unmasked = vec![0x81, 0x02, b'h', b'i'];
    let reserved = (0x3..=0x7).chain(0xB..=0xF);
    let reserved = reserved.map(|opcode| RawSocket::frame(0x80 | opcode, b"reserved opcode"));
    for bytes in reserved.chain([
        unmasked,
        RawSocket::frame(0xC1, b"reserved bit 1"),
        RawSocket::frame(0xA1, b"reserved bit 2"),
        RawSocket::frame(0x91, b"reserved bit 3"),
        RawSocket::frame(0x09, b"a fragmented ping"),
        RawSocket::frame(0x88, &[b'x'; 126]),
        RawSocket::frame(0x89, &[b'x'; 126]),
        RawSocket::frame(0x8A, &[b'x'; 126]),
        RawSocket::frame(0x80, b"the end of nothing"),
        [RawSocket::frame(0x01, b"begun"), RawSocket::frame(0x81, b"anew")].concat(),
        [&[0x81, 0xFF][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat(),
    ]) {
        attack(&server, |socket| {
            socket.send(&bytes);
            socket.assert_closed_with(1002);
        });
    }
}

#[test]
fn text_that_is_not_utf8_is_closed_with_1007() {
    let server = TestServer::start();
    for bytes in [
        RawSocket::frame(0x81, b"\xff\xfe"),
        RawSocket::frame(0x81, b"a surrogate: \xed\xa0\x80"),
        RawSocket::frame(0x81, b"a slash in two bytes: \xc0\xaf"),
        RawSocket::frame(0x81, b"beyond Unicode: \xf4\x90\x80\x80"),
        RawSocket::frame(0x81, b"cut short: \xf0\x9f\x9a"),
        [RawSocket::frame(0x01, b"\xc3"), RawSocket::frame(0x80, b"(")].concat(),
    ] {
        attack(&server, |socket| {
            socket.send(&bytes);
            socket.assert_closed_with(1007);
        });
    }
}

#[test]
fn a_client_that_keeps_sending_still_receives_the_close_code() {
    let server = TestServer::start();
    let flood = vec![0; 8 * 1024 * 1024];
    for (violation, code) in [
        (RawSocket::frame(0xC1, b"x"), 1002),
        (RawSocket::frame(0x88, &[0x03]), 1002),
        (RawSocket::frame(0x81, b"\xff"), 1007),
    ] {
        attack(&server, |socket| {
            // More bytes than the kernel can buffer. If the server stopped reading, its Close
            // frame would be lost.
            socket.send(&[&violation[..], &flood].concat());
            socket.assert_closed_with(code);
        });
    }
}

#[test]
fn a_message_over_the_limit_is_closed_with_1009() {
    let server = TestServer::start();
    for bytes in [
        [&[0x81, 0xFF][..], &65_537_u64.to_be_bytes(), &[0; 4]].concat(),
        [RawSocket::frame(0x01, &vec![b' '; 40_000]), RawSocket::frame(0x80, &vec![b' '; 30_000])]
            .concat(),
        [RawSocket::frame(0x01, b"x"), RawSocket::frame(0x00, b"").repeat(1_100)].concat(),
        // More bytes than the kernel can buffer. If the server stopped reading, its Close frame
        // would be lost.
        [&[0x82, 0xFF][..], &(1_u64 << 30).to_be_bytes(), &vec![0; 8 * 1024 * 1024]].concat(),
    ] {
        attack(&server, |socket| {
            socket.send(&bytes);
            socket.assert_closed_with(1009);
        });
    }
}

#[test]
fn a_flooding_client_gets_a_delay_and_is_then_closed_with_1008() {
    let server = TestServer::start();
    let mut neighbour = server.socket();
    let mut socket = server.raw_socket();
    // An invalid message counts towards the limit like a valid one.
    let chat = RawSocket::frame(0x81, br#"{"sender":"Op","message":"again"}"#);
    let kinds = [chat, RawSocket::frame(0x81, b"{"), RawSocket::frame(0x82, b"\0")];
    socket.send(&kinds.concat().repeat(1_000));
    let mut refused = 0;
    let reason = loop {
        let (first, payload) = socket.read_frame();
        if first == 0x88 {
            assert_eq!(payload[..2], 1008_u16.to_be_bytes());
            break String::from_utf8(payload[2..].to_vec()).unwrap();
        }
        let json: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        if let Some(wait) = json.get("retry_after_ms") {
            assert_eq!(json["type"], "error");
            assert!(json["message"].as_str().unwrap().starts_with("Too many messages."));
            // At 20 messages per second, the next one is allowed within 50 ms.
            assert!((1..=50).contains(&wait.as_u64().unwrap()), "{wait}");
            refused += 1;
        }
    };
    assert_eq!(reason, "too many messages, and the requests to wait were ignored");
    socket.assert_ended();
    // 100 messages were refused. The Close frame may overtake the last refusals.
    assert!(refused > 50, "{refused}");

    let alert = server.raise("still here");
    let mut kept = 0;
    loop {
        let event = neighbour.next_json();
        if event == alert {
            break;
        }
        assert_eq!(event["message"], "again");
        kept += 1;
    }
    // A third of the 100 accepted messages is valid chat. On a slow machine the limit permits a few
    // more messages.
    assert!((33..200).contains(&kept), "{kept} messages were stored");
}

#[test]
fn a_peer_may_disconnect_in_any_state_without_effect_on_others() {
    let server = TestServer::start();
    for bytes in [
        vec![],
        vec![0x81],
        vec![0x81, 0xFE, 0x01],
        RawSocket::frame(0x01, b"begun"),
        RawSocket::frame(0x81, &[b'x'; 5_000])[..100].to_vec(),
        RawSocket::frame(0x89, b"ping"),
    ] {
        attack(&server, |socket| {
            socket.send(&bytes);
            socket.half_close();
        });
        attack(&server, |socket| socket.send(&bytes));
    }
    // On these connections the client sends no request.
    let half_open: Vec<_> = (0..50).map(|_| server.connect()).collect();
    server.raise("still here");
    drop(half_open);
}
