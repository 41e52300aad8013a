//! Attacks of hostile clients. Most attacks check how the server ends the connection.

use crate::dashboard::{Dashboard, StreamItem, Transport, request};
use fastrand::Rng;
use northgate_testkit::{RawSocket, connect, read_response};
use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// Carries out an attack. Returns the connection if the attack leaves its connection half open.
type Attack = fn(SocketAddr, &mut Rng) -> Option<TcpStream>;

/// Every attack with its name, which failures print.
pub const ATTACKS: [(&str, Attack); 15] = [
    ("a frame that violates the protocol", broken_frame),
    ("a message that is too large", oversized_message),
    ("text that is not UTF-8", bad_text),
    ("more messages than allowed", flood),
    ("endless pings whose pongs are not read", pings),
    ("frames of random bytes", random_frames),
    ("a random request", random_request),
    ("a request that does not end", half_a_request),
    ("a body that does not end", half_a_body),
    ("an endless head", endless_head),
    ("a body that is too large", oversized_body),
    ("malformed chunks", bad_chunks),
    ("many requests without a pause", many_requests),
    ("bytes sent into an event stream", talk_into_a_stream),
    ("several upgrade requests on one connection", double_upgrade),
];

/// Opens a WebSocket for an attack.
fn dashboard(address: SocketAddr) -> Dashboard {
    Dashboard::connect(address, Transport::WebSocket, "", None).unwrap()
}

/// Reads the Close frame and the end of the connection, and returns the close code. After the Close
/// frame, most clients close their half of the connection. The server must also end the connections
/// of clients that do not.
fn close_code(mut dashboard: Dashboard, rng: &mut Rng) -> u16 {
    loop {
        match dashboard.next() {
            Ok(StreamItem::Event(_) | StreamItem::ErrorMessage) => {}
            Ok(StreamItem::Close { code, .. }) => {
                if rng.u8(0..8) > 0 {
                    dashboard.half_close();
                }
                assert_eq!(
                    dashboard.next().unwrap(),
                    StreamItem::End,
                    "the connection stays open after the close code {code}"
                );
                return code;
            }
            other => panic!("expected a Close: {other:?}"),
        }
    }
}

/// Reads until the server closes or resets the connection.
fn assert_ends(mut tcp: &TcpStream) {
    if let Err(error) = tcp.read_to_end(&mut Vec::new()) {
        assert_ne!(error.kind(), ErrorKind::WouldBlock, "the server does not close the connection");
    }
}

/// Sends a request and returns the status of the answer. The server may answer before it has read
/// the complete request.
fn status_of(address: SocketAddr, request: &[u8]) -> u16 {
    let mut tcp = connect(address);
    let _ = tcp.write_all(request);
    read_response(&mut BufReader::new(tcp)).status
}

fn random_bytes(rng: &mut Rng, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; rng.usize(1..most)];
    rng.fill(&mut bytes);
    bytes
}

fn broken_frame(address: SocketAddr, rng: &mut Rng) -> Option<TcpStream> {
    let mut dashboard = dashboard(address);
    let bytes = match rng.u8(0..5) {
        0 => vec![0x81, 0x02, b'h', b'i'],
        1 => RawSocket::frame(0x80 | rng.u8(0x10..0x80), b"reserved"),
        2 => RawSocket::frame(0x83 + rng.u8(0..5), b"unknown"),
        3 => RawSocket::frame(0x89, &[b'x'; 126]),
        _ => [RawSocket::frame(0x01, b"begun"), RawSocket::frame(0x81, b"anew")].concat(),
    };
    dashboard.send(&bytes);
    dashboard.send(&random_bytes(rng, 100_000));
    assert_eq!(close_code(dashboard, rng), 1002, "{bytes:02x?}");
    None
}

fn oversized_message(address: SocketAddr, rng: &mut Rng) -> Option<TcpStream> {
    let mut dashboard = dashboard(address);
    let bytes = match rng.u8(0..3) {
        0 => [&[0x82, 0xFF][..], &rng.u64(65_537..1 << 40).to_be_bytes(), &[0; 4]].concat(),
        1 => {
            let half = vec![b' '; 40_000];
            [RawSocket::frame(0x01, &half), RawSocket::frame(0x80, &half)].concat()
        }
        _ => [RawSocket::frame(0x01, b"x"), RawSocket::frame(0x00, b"").repeat(1_100)].concat(),
    };
    dashboard.send(&bytes);
    dashboard.send(&random_bytes(rng, 1_000_000));
    assert_eq!(close_code(dashboard, rng), 1009);
    None
}

fn bad_text(address: SocketAddr, rng: &mut Rng) -> Option<TcpStream> {
    let mut dashboard = dashboard(address);
    let mut bytes = random_bytes(rng, 500);
    bytes.push(0xFF);
    dashboard.send(&RawSocket::frame(0x81, &bytes));
    assert_eq!(close_code(dashboard, rng), 1007);
    None
}

fn flood(address: SocketAddr, rng: &mut Rng) -> Option<TcpStream> {
    let mut dashboard = dashboard(address);
    let chat = RawSocket::frame(0x81, br#"{"sender":"Op","message":"again"}"#);
    let kinds = [chat, RawSocket::frame(0x81, b"{"), RawSocket::frame(0x82, b"\0")];
    dashboard.send(&kinds.concat().repeat(500));
    assert_eq!(close_code(dashboard, rng), 1008);
    None
}

fn pings(address: SocketAddr, rng: &mut Rng) -> Option<TcpStream> {
    let dashboard = dashboard(address);
    let mut tcp = dashboard.tcp();
    tcp.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    let ping = RawSocket::frame(0x89, &[b'x'; 100]);
    // The server stops reading when its pongs are not read.
    let _ = tcp.write_all(&ping.repeat(rng.usize(1_000..20_000)));
    None
}

fn random_frames(address: SocketAddr, rng: &mut Rng) -> Option<TcpStream> {
    let mut dashboard = dashboard(address);
    dashboard.send(&random_bytes(rng, 10_000));
    dashboard.half_close();
    assert_ends(dashboard.tcp());
    None
}

fn random_request(address: SocketAddr, rng: &mut Rng) -> Option<TcpStream> {
    let mut tcp = connect(address);
    let method: &[u8] = rng.choice([&b"GET /"[..], b"POST /alerts", b"\x16\x03\x01", b""]).unwrap();
    let request = [method, &random_bytes(rng, 2_000), b"\r\n\r\n"].concat();
    let _ = tcp.write_all(&request);
    let _ = tcp.shutdown(Shutdown::Write);
    assert_ends(&tcp);
    None
}

fn half_a_request(address: SocketAddr, rng: &mut Rng) -> Option<TcpStream> {
    let mut tcp = connect(address);
    let request = request(rng.choice(Transport::BOTH).unwrap(), "", None);
    tcp.write_all(&request.as_bytes()[..rng.usize(0..request.len())]).unwrap();
    rng.bool().then_some(tcp)
}

fn half_a_body(address: SocketAddr, rng: &mut Rng) -> Option<TcpStream> {
    let mut tcp = connect(address);
    let body = r#"{"message":"never","location":"here"}"#;
    let (length, begun) = (body.len(), &body[..rng.usize(0..body.len())]);
    let head = format!("POST /alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}");
    tcp.write_all(format!("{head}\r\n\r\n{begun}").as_bytes()).unwrap();
    rng.bool().then_some(tcp)
}

fn endless_head(address: SocketAddr, rng: &mut Rng) -> Option<TcpStream> {
    let mut tcp = connect(address);
    let name = rng.alphabetic();
    let header = format!("{name}: {}\r\n", "x".repeat(rng.usize(1..5_000)));
    let _ = tcp.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n");
    for _ in 0..500_000 / header.len() {
        if tcp.write_all(header.as_bytes()).is_err() {
            break;
        }
    }
    assert_ends(&tcp);
    None
}

fn oversized_body(address: SocketAddr, rng: &mut Rng) -> Option<TcpStream> {
    let length = rng.usize(65_537..1_000_000);
    let path = rng.choice(["/alerts", "/message"]).unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}");
    let body = " ".repeat(length);
    assert_eq!(status_of(address, format!("{head}\r\n\r\n{body}").as_bytes()), 413);
    None
}

fn bad_chunks(address: SocketAddr, rng: &mut Rng) -> Option<TcpStream> {
    let mut tcp = connect(address);
    let head = "POST /alerts HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let size = rng.choice(["x", "-1", "fffffffffffffffff", ""]).unwrap();
    let _ = tcp.write_all(format!("{head}{size}\r\nbytes\r\n").as_bytes());
    assert_ends(&tcp);
    None
}

fn many_requests(address: SocketAddr, rng: &mut Rng) -> Option<TcpStream> {
    let tcp = connect(address);
    let count = rng.usize(1..200);
    let request = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    (&tcp).write_all(&request.repeat(count)).unwrap();
    let mut reader = BufReader::new(tcp);
    for _ in 0..count {
        assert_eq!(read_response(&mut reader).status, 200);
    }
    None
}

fn talk_into_a_stream(address: SocketAddr, rng: &mut Rng) -> Option<TcpStream> {
    let mut dashboard = Dashboard::connect(address, Transport::ServerSent, "", None).unwrap();
    dashboard.send(&random_bytes(rng, 100_000));
    dashboard.half_close();
    assert_ends(dashboard.tcp());
    None
}

fn double_upgrade(address: SocketAddr, rng: &mut Rng) -> Option<TcpStream> {
    let mut tcp = connect(address);
    let request = request(Transport::WebSocket, "", None);
    let rest = request.as_bytes().repeat(rng.usize(1..20));
    // After the handshake the server expects frames, and a second request is a malformed frame.
    tcp.write_all(request.as_bytes()).unwrap();
    let mut dashboard = Dashboard::on(tcp.try_clone().unwrap(), Transport::WebSocket, "", None);
    if let Ok(dashboard) = &mut dashboard {
        dashboard.send(&rest);
    }
    let _ = tcp.shutdown(Shutdown::Write);
    assert_ends(&tcp);
    None
}
