//! Live fan-out: many senders at the same time, and every client gets each event once in one order.

use crate::dashboard::Transport;
use crate::delivery_audit::DeliveryAudit;
use crate::publisher::{Publisher, Talker, end};
use crate::recording_client::{RecordingClient, joined};
use crate::scenario::{Scenario, Summary, run};
use std::thread;

/// The number of clients of each kind, and how many events each sender sends.
struct Cast {
    readers: usize,
    publishers: usize,
    talkers: usize,
    each: usize,
}

/// Readers over both transports receive the events of publishers and talkers that send
/// concurrently.
fn broadcast(scenario: &mut Scenario, cast: &Cast) -> Summary {
    let Cast { readers, publishers, talkers, each } = *cast;
    let server = scenario.server(readers + talkers + 1, |_| ());
    let address = server.address();
    let mut recorder = RecordingClient::recorder();
    let mut recording = recorder.join(address, Transport::WebSocket);
    let join = |_| joined(address, scenario.rng.choice(Transport::BOTH).unwrap());
    let mut followers: Vec<_> = (0..readers).map(join).collect();
    let socket = || joined(address, Transport::WebSocket);
    let talkers: Vec<_> = (0..talkers).map(|n| Talker::new(socket(), format!("t{n}"))).collect();
    let publishers = (0..publishers).map(|n| Publisher::new(address, format!("p{n}")));

    let (answered, talkers) = thread::scope(|scope| {
        scope.spawn(|| recorder.read_to_end(&mut recording));
        for (follower, dashboard) in &mut followers {
            scope.spawn(move || follower.read_to_end(dashboard));
        }
        let talking: Vec<_> = talkers
            .into_iter()
            .map(|mut talker| {
                let mut rng = scenario.rng.fork();
                scope.spawn(move || {
                    talker.talk(each, 30, &mut rng);
                    talker
                })
            })
            .collect();
        let publishing: Vec<_> = publishers
            .map(|mut publisher| {
                let mut rng = scenario.rng.fork();
                scope.spawn(move || publisher.raise_many(each, &mut rng))
            })
            .collect();
        let answered: Vec<_> = publishing.into_iter().flat_map(|p| p.join().unwrap()).collect();
        let talkers: Vec<_> = talking.into_iter().map(|talker| talker.join().unwrap()).collect();
        end(address);
        (answered, talkers.into_iter().map(Talker::listen).collect::<Vec<_>>())
    });

    let audit = DeliveryAudit::of(recorder);
    audit.assert_contains(&answered);
    audit.assert_no_other_alerts(&answered);
    audit.assert_sender_order();
    assert_eq!(audit.len(), answered.len() + talkers.len() * each + 2);
    for follower in followers.iter().map(|(follower, _)| follower).chain(&talkers) {
        audit.assert_delivered_to(follower);
    }
    Summary { server: Some(server), clients: readers + 1, events: audit.len(), reconnects: 0 }
}

#[test]
fn every_answered_alert_reaches_200_dashboards_once_and_in_one_order() {
    run(|scenario| {
        let each = scenario.volume(400);
        broadcast(scenario, &Cast { readers: 200, publishers: 6, talkers: 0, each })
    });
}

#[test]
fn concurrent_alerts_and_chat_arrive_in_one_order() {
    run(|scenario| {
        let each = scenario.volume(400);
        broadcast(scenario, &Cast { readers: 12, publishers: 8, talkers: 8, each })
    });
}
