//! Slow readers and readers that never read, beside healthy readers that must not be affected.

use crate::census::connections;
use crate::dashboard::{Dashboard, Transport};
use crate::delivery_audit::DeliveryAudit;
use crate::drain::read_farewell;
use crate::publisher::{LONGEST, Publisher, end};
use crate::recording_client::{Reader, RecordingClient, Wants, joined, resumed};
use crate::scenario::{Scenario, Summary, run};
use northgate_testkit::{
    EXIT_DEADLINE, PATIENCE, RawSocket, eventually_within, resident_kib, set_window,
};
use socket2::{Domain, Socket, Type};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Size of the client's receive buffer, in bytes. The buffer is small, so that the server notices a
/// slow reader.
const RECEIVE_BUFFER: usize = 16 * 1024;

/// Opens a connection with a small receive buffer.
pub fn narrow(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // The size must be set before the connect, which negotiates the TCP window.
    socket.set_recv_buffer_size(RECEIVE_BUFFER).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.into()
}

/// One reader over each transport.
fn pair(address: SocketAddr) -> [Reader; 2] {
    Transport::BOTH.map(|transport| joined(address, transport))
}

/// Raises alerts of the largest size, and waits after each alert until the neighbours have received
/// it.
fn raise_beside(
    publisher: &mut Publisher,
    neighbours: &mut [Reader],
    count: usize,
    mut between: impl FnMut(usize),
) {
    let padding = "x".repeat(LONGEST);
    for n in 0..count {
        let alert = publisher.raise(&padding);
        for (follower, dashboard) in &mut *neighbours {
            assert_eq!(follower.read_event(dashboard), alert.offset);
            assert_eq!(dashboard.json, alert.json);
        }
        between(n);
    }
}

#[test]
fn slow_readers_receive_every_event_and_delay_nobody() {
    /// Number of raised alerts for each event that a slow reader reads.
    const OF: usize = 40;
    run(|scenario| {
        // No heartbeat: a slow reader must not be closed as unresponsive.
        let server = scenario.server(5, |s| s.heartbeat.interval = "1h".parse().unwrap());
        let address = server.address();
        let mut recorder = RecordingClient::recorder();
        let mut recording = recorder.join(address, Transport::WebSocket);
        let mut neighbours = pair(address);
        let mut publisher = Publisher::new(address, "large".to_owned());
        // The slow readers resume after the first event.
        let first = publisher.raise("first");
        for (follower, dashboard) in &mut neighbours {
            follower.read(dashboard);
        }
        let start = neighbours[0].1.position.clone();
        let mut slow = Transport::BOTH
            .map(|transport| resumed(&start, narrow(address), transport, Wants::Everything));

        let total = scenario.volume(3_500);
        raise_beside(&mut publisher, &mut neighbours, total, |n| {
            if n % OF == 0 {
                for (follower, dashboard) in &mut slow {
                    follower.read(dashboard);
                }
            }
        });
        let behind = slow[0].0.at();
        assert!(
            behind < first.offset + 2 + (total / OF) as u64,
            "at offset {behind}: the reader was not slow"
        );
        end(address);
        for (follower, dashboard) in slow.iter_mut().chain(&mut neighbours) {
            follower.read_to_end(dashboard);
        }
        recorder.read_to_end(&mut recording);
        let audit = DeliveryAudit::of(recorder);
        for (follower, _) in slow.iter().chain(&neighbours) {
            audit.assert_delivered_to(follower);
        }
        Summary { server: Some(server), clients: 5, events: audit.len(), reconnects: 0 }
    });
}

/// Number of clients that never read.
const DEAD: usize = 30;
/// Upper bound of the memory growth for all these clients together, in KiB: a few buffers for each.
/// With one queue per client, the memory would grow by 300 MiB.
const MOST_KIB: u64 = 24 * 1024;

/// Connects clients that never read. Every fourth client sends pings and does not read the pongs.
fn dead(scenario: &mut Scenario, address: SocketAddr) -> Vec<Dashboard> {
    let mut connect = |n: usize| {
        let transport = Transport::BOTH[n % 2];
        let dashboard = Dashboard::on(narrow(address), transport, "", None).unwrap();
        if n.is_multiple_of(4) {
            let pings = RawSocket::frame(0x89, &[b'x'; 125]).repeat(scenario.rng.usize(1..10_000));
            dashboard.tcp().set_write_timeout(Some(Duration::from_millis(100))).unwrap();
            let mut tcp = dashboard.tcp();
            // The server stops reading when the pongs are not read.
            let _ = tcp.write_all(&pings);
        }
        dashboard
    };
    (0..DEAD).map(&mut connect).collect()
}

/// Asserts that the kernel disconnects clients that never read, which takes 20 seconds.
fn assert_cut(publisher: &mut Publisher, readers: &mut [Reader], address: SocketAddr) {
    let living = readers.len() + 1;
    eventually_within(5 * Duration::from_secs(20), || {
        raise_beside(publisher, readers, 1, |_| std::thread::sleep(Duration::from_millis(100)));
        match connections(address) {
            left if left > living => Err(format!("{left} connections are still open")),
            _ => Ok(()),
        }
    });
}

#[test]
fn clients_that_never_read_cost_little_memory_and_delay_nobody() {
    run(|scenario| {
        // The first 2,500 alerts fill the server's windows. The test measures the memory growth
        // after these alerts.
        let mut server = scenario.server(DEAD + 3, |settings| {
            set_window(settings, 1_000);
            settings.memory.alerts = 1_000.try_into().unwrap();
        });
        let address = server.address();
        let mut readers = pair(address);
        let mut publisher = Publisher::new(address, "large".to_owned());
        raise_beside(&mut publisher, &mut readers, 2_500, |_| ());
        let before = resident_kib();
        let dead = dead(scenario, address);
        let total = scenario.volume(2_500);
        raise_beside(&mut publisher, &mut readers, total, |_| ());
        let grown = resident_kib().saturating_sub(before);
        assert!(grown < MOST_KIB, "memory grew by {grown} KiB for {DEAD} clients that never read");
        if scenario.is_full() {
            assert_cut(&mut publisher, &mut readers, address);
        }

        let asked = Instant::now();
        server.begin_stop();
        for (follower, dashboard) in &mut readers {
            assert!(read_farewell(follower, dashboard).is_some());
        }
        server.stopped();
        assert!(asked.elapsed() < EXIT_DEADLINE, "{:?}", asked.elapsed());
        drop(dead);
        Summary { server: None, clients: DEAD + 2, events: 2_500 + total, reconnects: 0 }
    });
}
