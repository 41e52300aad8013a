//! Reconnects: clients that are disconnected again and again, and clients that are far behind.

use crate::dashboard::{Dashboard, StreamItem, Transport};
use crate::delivery_audit::DeliveryAudit;
use crate::publisher::{Publisher, Talker, end};
use crate::recording_client::{RecordingClient, Wants, joined};
use crate::scenario::{Scenario, Summary, run};
use fastrand::Rng;
use northgate_testkit::RawSocket;
use std::net::SocketAddr;
use std::thread;

/// The way in which a client's connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kick {
    /// The client closes without reading the bytes that have already arrived.
    Dropped,
    /// The client closes in the middle of a frame or record from the server.
    Torn,
    /// The client closes in the middle of its own frame.
    TornSaying,
    /// The client closes its sending half and reads the rest.
    HalfClosed,
    /// The client sends a Close frame. On SSE it closes its sending half.
    Closed,
}

impl Kick {
    const ALL: [Self; 5] =
        [Self::Dropped, Self::Torn, Self::TornSaying, Self::HalfClosed, Self::Closed];

    /// Ends a connection in this way, and records the events that arrive before the end.
    fn end(self, mut dashboard: Dashboard, follower: &mut RecordingClient, rng: &mut Rng) {
        let is_socket = dashboard.transport() == Transport::WebSocket;
        match self {
            Self::Dropped => {}
            Self::Torn => dashboard.tear(rng.usize(1..150)).unwrap(),
            Self::TornSaying => {
                let frame = RawSocket::frame(0x81, br#"{"sender":"Op","message":"never"}"#);
                dashboard.send(&frame[..rng.usize(1..frame.len())]);
            }
            Self::Closed if is_socket => {
                dashboard.send(&RawSocket::frame(0x88, &4_999_u16.to_be_bytes()));
                let echo = StreamItem::Close { code: 4_999, reason: String::new() };
                assert_eq!(last_item(&mut dashboard, follower), Some(echo));
                assert_eq!(dashboard.next().ok(), Some(StreamItem::End), "after the Close");
            }
            Self::HalfClosed | Self::Closed => {
                dashboard.half_close();
                let last = last_item(&mut dashboard, follower);
                assert!(matches!(last, None | Some(StreamItem::End)), "{last:?}");
            }
        }
    }
}

/// Reads to the end of a connection and returns its last item, or `None` if the connection broke.
fn last_item(dashboard: &mut Dashboard, follower: &mut RecordingClient) -> Option<StreamItem> {
    loop {
        match follower.take(dashboard) {
            Ok(StreamItem::Event(_) | StreamItem::Live(_)) => {}
            Ok(last) => return Some(last),
            Err(error) => {
                assert_ne!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock,
                    "the server does not end the connection"
                );
                return None;
            }
        }
    }
}

/// Reads up to the scenario's last event over many connections. Returns the number of reconnects.
fn follow_through_kicks(
    address: SocketAddr,
    follower: &mut RecordingClient,
    rng: &mut Rng,
) -> usize {
    // The bound ends the test if the client makes no progress.
    for reconnects in 0..100_000 {
        let transport = rng.choice(Transport::BOTH).unwrap();
        let mut dashboard = follower.resume(address, transport);
        for _ in 0..rng.usize(1..400) {
            follower.read(&mut dashboard);
            if follower.has_ended() {
                return reconnects;
            }
        }
        rng.choice(Kick::ALL).unwrap().end(dashboard, follower, rng);
        if follower.has_ended() {
            return reconnects;
        }
    }
    panic!("at offset {} after 100,000 reconnects", follower.at());
}

fn spread(total: usize, publishers: usize) -> impl Iterator<Item = (usize, String)> {
    (0..publishers).map(move |n| (total / publishers, format!("p{n}")))
}

#[test]
fn clients_that_are_disconnected_often_get_every_event_once() {
    const CLIENTS: usize = 60;
    run(|scenario| {
        // A closed connection counts towards the limit until the server notices it.
        let server = scenario.server(400, |_| ());
        let address = server.address();
        let total = scenario.volume(10_000);
        let mut recorder = RecordingClient::recorder();
        let mut recording = recorder.join(address, Transport::WebSocket);
        let mut first = Publisher::new(address, "the first".to_owned());
        let mut answered = first.raise_many(1, &mut scenario.rng);
        assert_eq!(recorder.read_event(&mut recording), 1);
        let start = recording.position.clone();
        let wants =
            (0..CLIENTS).map(|n| if n % 4 == 0 { Wants::Alerts } else { Wants::Everything });
        let mut followers: Vec<_> =
            wants.map(|wants| RecordingClient::after(&start, wants)).collect();

        let reconnects = thread::scope(|scope| {
            scope.spawn(|| recorder.read_to_end(&mut recording));
            let recovering: Vec<_> = followers
                .iter_mut()
                .map(|follower| {
                    let mut rng = scenario.rng.fork();
                    scope.spawn(move || follow_through_kicks(address, follower, &mut rng))
                })
                .collect();
            let publishing: Vec<_> = spread(total, 4)
                .map(|(count, name)| {
                    let mut rng = scenario.rng.fork();
                    let mut publisher = Publisher::new(address, name);
                    scope.spawn(move || publisher.raise_many(count, &mut rng))
                })
                .collect();
            answered.extend(publishing.into_iter().flat_map(|p| p.join().unwrap()));
            end(address);
            recovering.into_iter().map(|recovering| recovering.join().unwrap()).sum()
        });

        let audit = DeliveryAudit::of(recorder);
        audit.assert_contains(&answered);
        audit.assert_no_other_alerts(&answered);
        for follower in &followers {
            audit.assert_delivered_to(follower);
        }
        Summary { server: Some(server), clients: CLIENTS + 1, events: audit.len(), reconnects }
    });
}

/// More events than the frame log retains.
const BEYOND_THE_WINDOW: u64 = 4_096 + 500;

/// Resumes from a position before the window, and reads to the end. Returns the offset of the first
/// `live` frame.
fn catch_up(address: SocketAddr, follower: &mut RecordingClient, transport: Transport) -> u64 {
    let mut dashboard = follower.resume(address, transport);
    let mut live = None;
    // A client that catches up only at the end receives its first `live` frame after the last
    // event.
    while !follower.has_ended() || live.is_none() {
        if let StreamItem::Live(offset) = follower.read(&mut dashboard) {
            live.get_or_insert(offset);
        }
    }
    live.unwrap()
}

/// Fills the log beyond the window. Returns the stream on which the recorder reads the log.
pub fn fill(
    scenario: &mut Scenario,
    address: SocketAddr,
    recorder: &mut RecordingClient,
) -> Dashboard {
    let mut dashboard = recorder.join(address, Transport::WebSocket);
    let count = scenario.volume(usize::try_from(BEYOND_THE_WINDOW).unwrap() + 200);
    let mut rng = scenario.rng.fork();
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..count {
                recorder.read_event(&mut dashboard);
            }
        });
        let alerts = count / 4;
        let mut talker = Talker::new(joined(address, Transport::WebSocket), "talker".to_owned());
        talker.talk(count - alerts, 200, &mut rng);
        Publisher::new(address, "before".to_owned()).raise_many(alerts, &mut rng);
    });
    dashboard
}

#[test]
fn clients_behind_the_window_catch_up_under_load() {
    const CLIENTS: usize = 100;
    run(|scenario| {
        let server = scenario.server(CLIENTS + 1, |_| ());
        let address = server.address();
        let mut recorder = RecordingClient::recorder();
        let mut live = fill(scenario, address, &mut recorder);
        let head = recorder.at();
        let mut followers: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let start = scenario.rng.u64(0..head - BEYOND_THE_WINDOW);
                let position = recorder.position_of(start);
                let transport = scenario.rng.choice(Transport::BOTH).unwrap();
                (
                    RecordingClient::after(&position, scenario.rng.choice(Wants::ALL).unwrap()),
                    transport,
                )
            })
            .collect();

        thread::scope(|scope| {
            scope.spawn(|| recorder.read_to_end(&mut live));
            for (follower, transport) in &mut followers {
                scope.spawn(move || {
                    let live = catch_up(address, follower, *transport);
                    assert!(live >= head, "live at offset {live}, before the head {head}");
                });
            }
            let publishing: Vec<_> = spread(scenario.volume(1_000), 2)
                .map(|(count, name)| {
                    let mut rng = scenario.rng.fork();
                    let mut publisher = Publisher::new(address, name);
                    scope.spawn(move || publisher.raise_many(count, &mut rng))
                })
                .collect();
            for publisher in publishing {
                publisher.join().unwrap();
            }
            end(address);
        });

        let audit = DeliveryAudit::of(recorder);
        audit.assert_sender_order();
        for (follower, _) in &followers {
            audit.assert_delivered_to(follower);
        }
        Summary {
            server: Some(server),
            clients: CLIENTS + 1,
            events: audit.len(),
            reconnects: CLIENTS,
        }
    });
}
