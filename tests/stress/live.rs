//! Everybody at once: one order for all, and each event once.

use crate::client::Transport;
use crate::ledger::{Follower, joined};
use crate::publisher::{Publisher, Talker, end};
use crate::stage::{Played, Stage, play};
use std::thread;

/// Who takes part, and how much each of them says.
struct Cast {
    readers: usize,
    publishers: usize,
    talkers: usize,
    each: usize,
}

/// Readers of both kinds hear what publishers and talkers say at the same time.
fn broadcast(stage: &mut Stage, cast: &Cast) -> Played {
    let Cast { readers, publishers, talkers, each } = *cast;
    let server = stage.server(readers + talkers + 1, |_| ());
    let address = server.address();
    let mut witness = Follower::witness();
    let mut witnessing = witness.join(address, Transport::WebSocket);
    let join = |_| joined(address, stage.rng.choice(Transport::BOTH).unwrap());
    let mut followers: Vec<_> = (0..readers).map(join).collect();
    let socket = || joined(address, Transport::WebSocket);
    let talkers: Vec<_> = (0..talkers).map(|n| Talker::new(socket(), format!("t{n}"))).collect();
    let publishers = (0..publishers).map(|n| Publisher::new(address, format!("p{n}")));

    let (answered, talkers) = thread::scope(|scope| {
        scope.spawn(|| witness.read_to_end(&mut witnessing));
        for (follower, dashboard) in &mut followers {
            scope.spawn(move || follower.read_to_end(dashboard));
        }
        let talking: Vec<_> = talkers
            .into_iter()
            .map(|mut talker| {
                let mut rng = stage.rng.fork();
                scope.spawn(move || {
                    talker.talk(each, 30, &mut rng);
                    talker
                })
            })
            .collect();
        let publishing: Vec<_> = publishers
            .map(|mut publisher| {
                let mut rng = stage.rng.fork();
                scope.spawn(move || publisher.raise_many(each, &mut rng))
            })
            .collect();
        let answered: Vec<_> = publishing.into_iter().flat_map(|p| p.join().unwrap()).collect();
        let talkers: Vec<_> = talking.into_iter().map(|talker| talker.join().unwrap()).collect();
        end(address);
        (answered, talkers.into_iter().map(Talker::listen).collect::<Vec<_>>())
    });

    let log = witness.into_log();
    log.assert_holds(&answered);
    log.assert_holds_no_other_alerts(&answered);
    log.assert_keeps_the_order_of_each();
    assert_eq!(log.len(), answered.len() + talkers.len() * each + 2);
    for follower in followers.iter().map(|(follower, _)| follower).chain(&talkers) {
        log.assert_seen_by(follower);
    }
    Played { server: Some(server), clients: readers + 1, events: log.len(), reconnects: 0 }
}

#[test]
fn every_answered_alert_reaches_200_dashboards_once_and_in_one_order() {
    play(|stage| {
        let each = stage.volume(400);
        broadcast(stage, &Cast { readers: 200, publishers: 6, talkers: 0, each })
    });
}

#[test]
fn alerts_and_chat_of_many_have_one_order_for_all() {
    play(|stage| {
        let each = stage.volume(400);
        broadcast(stage, &Cast { readers: 12, publishers: 8, talkers: 8, each })
    });
}
