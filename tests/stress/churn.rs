//! Connection churn: thousands of clients disconnect in every state of a connection.

use crate::dashboard::{Dashboard, Transport, member, request};
use crate::delivery_audit::DeliveryAudit;
use crate::publisher::{AcceptedEvent, Publisher, end, padding};
use crate::recording_client::{RecordingClient, Wants, joined};
use crate::scenario::{Scenario, Summary, run};
use fastrand::Rng;
use northgate_testkit::{connect, read_response};
use std::collections::VecDeque;
use std::io::{BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

/// The state of the connection in which a client disconnects.
#[derive(Debug, Clone, Copy)]
enum Stay {
    /// Connected, without having sent anything.
    Silent,
    /// Has sent part of a request.
    Begun,
    /// Has sent a complete request and read nothing.
    Asked,
    /// Has received the head of a stream.
    Streaming,
    /// Reads a few events, and disconnects in the middle of the next one.
    Reading,
    /// Has sent a request and read its complete answer.
    Served,
}

impl Stay {
    const ALL: [Self; 6] =
        [Self::Silent, Self::Begun, Self::Asked, Self::Streaming, Self::Reading, Self::Served];
}

/// Number of connections that one thread keeps open at the same time.
const OPEN: usize = 8;
/// Number of threads that connect and disconnect.
const THREADS: usize = 6;

/// Connects one client. Dropping the returned stream disconnects the client.
fn visit(address: SocketAddr, start: &str, rng: &mut Rng) -> TcpStream {
    let transport = rng.choice(Transport::BOTH).unwrap();
    let asked = match rng.u8(0..3) {
        0 => "GET /alerts/history HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        _ => request(transport, "", Some(start)),
    };
    let mut tcp = connect(address);
    match rng.choice(Stay::ALL).unwrap() {
        Stay::Silent => {}
        Stay::Begun => tcp.write_all(&asked.as_bytes()[..rng.usize(1..asked.len())]).unwrap(),
        Stay::Asked => tcp.write_all(asked.as_bytes()).unwrap(),
        Stay::Streaming => {
            let dashboard = Dashboard::on(tcp, transport, "", None).unwrap();
            tcp = dashboard.tcp().try_clone().unwrap();
        }
        Stay::Reading => {
            let mut follower = RecordingClient::after(start, Wants::Everything);
            let mut dashboard = follower.resume_on(tcp, transport);
            for _ in 0..rng.usize(1..5) {
                follower.read(&mut dashboard);
            }
            tcp = dashboard.tcp().try_clone().unwrap();
            dashboard.tear(rng.usize(0..100)).unwrap();
        }
        Stay::Served => {
            tcp.write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            let mut reader = BufReader::new(tcp);
            assert_eq!(read_response(&mut reader).status, 200);
            tcp = reader.into_inner();
        }
    }
    if rng.bool() {
        let half = rng.choice([Shutdown::Write, Shutdown::Read, Shutdown::Both]).unwrap();
        // The server may already have closed the connection.
        let _ = tcp.shutdown(half);
    }
    tcp
}

/// Connects and disconnects `visits` clients. Raises an alert after about every fourth of them.
fn come_and_go(
    rng: &mut Rng,
    address: SocketAddr,
    start: &str,
    visits: usize,
    name: String,
) -> Vec<AcceptedEvent> {
    let mut publisher = Publisher::new(address, name);
    let (mut open, mut answered) = (VecDeque::new(), Vec::new());
    for _ in 0..visits {
        open.push_back(visit(address, start, rng));
        if open.len() > OPEN {
            open.pop_front();
        }
        if rng.u8(0..4) == 0 {
            answered.push(publisher.raise(&padding(rng)));
        }
    }
    answered
}

/// Raises some alerts. Returns the position of the first one and all answered alerts. Clients that
/// resume after this position always have events to read.
fn raise_some(scenario: &mut Scenario, publisher: &mut Publisher) -> (String, Vec<AcceptedEvent>) {
    let first = publisher.raise("first");
    let position = member(&first.json, "position").unwrap().to_owned();
    let mut answered = publisher.raise_many(100, &mut scenario.rng);
    answered.push(first);
    (position, answered)
}

#[test]
fn thousands_of_disconnects_in_any_state_do_not_affect_others() {
    run(|scenario| {
        // A disconnected client counts towards the limit until the server notices it.
        let server = scenario.server(400, |_| ());
        let address = server.address();
        let mut recorder = RecordingClient::recorder();
        let mut recording = recorder.join(address, Transport::WebSocket);
        let mut neighbours = Transport::BOTH.map(|transport| joined(address, transport));
        let mut publisher = Publisher::new(address, "healthy".to_owned());
        let (start, mut answered) = raise_some(scenario, &mut publisher);
        let visits = scenario.volume(1_500);

        thread::scope(|scope| {
            scope.spawn(|| recorder.read_to_end(&mut recording));
            for (follower, dashboard) in &mut neighbours {
                scope.spawn(|| follower.read_to_end(dashboard));
            }
            let visiting: Vec<_> = (0..THREADS)
                .map(|n| {
                    let (mut rng, start) = (scenario.rng.fork(), &start);
                    scope.spawn(move || {
                        come_and_go(&mut rng, address, start, visits, format!("v{n}"))
                    })
                })
                .collect();
            answered.extend(visiting.into_iter().flat_map(|visiting| visiting.join().unwrap()));
            end(address);
        });

        let audit = DeliveryAudit::of(recorder);
        audit.assert_contains(&answered);
        audit.assert_no_other_alerts(&answered);
        audit.assert_sender_order();
        for (follower, _) in &neighbours {
            audit.assert_delivered_to(follower);
        }
        let reconnects = THREADS * visits;
        Summary { server: Some(server), clients: THREADS + 3, events: audit.len(), reconnects }
    });
}
