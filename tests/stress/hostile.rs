//! Attacks of every kind from many sides at once, beside neighbours that must not notice.

use crate::attacks::ATTACKS;
use crate::client::Transport;
use crate::ledger::{Follower, joined};
use crate::publisher::{Answered, Publisher, end, padding};
use crate::stage::{Played, play};
use fastrand::Rng;
use std::net::{SocketAddr, TcpStream};
use std::thread;

/// How many attack at a time.
const ATTACKERS: usize = 8;

/// One attack after the other; after each of them an alert is answered all the same. Also gives
/// the connections that were left half open.
fn attack(
    address: SocketAddr,
    name: String,
    count: usize,
    rng: &mut Rng,
) -> (Vec<Answered>, Vec<TcpStream>) {
    let mut healthy = Publisher::new(address, name);
    let (mut answered, mut half_open) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let (name, attack) = rng.choice(ATTACKS).unwrap();
        let seed = rng.u64(..);
        let attacking = std::panic::catch_unwind(|| attack(address, &mut Rng::with_seed(seed)));
        half_open.extend(attacking.unwrap_or_else(|_| panic!("the attack failed: {name}")));
        answered.push(healthy.raise(&padding(rng)));
    }
    (answered, half_open)
}

#[test]
fn attacks_from_all_sides_cost_the_neighbours_nothing() {
    play(|stage| {
        let server = stage.server(300, |settings| {
            settings.chat.rate = 20.try_into().unwrap();
            settings.chat.burst = 100.try_into().unwrap();
        });
        let address = server.address();
        let mut witness = Follower::witness();
        let mut witnessing = witness.join(address, Transport::WebSocket);
        let mut neighbours = Transport::BOTH.map(|transport| joined(address, transport));
        let each = stage.volume(100);
        let (answered, half_open) = thread::scope(|scope| {
            scope.spawn(|| witness.read_to_end(&mut witnessing));
            for (follower, dashboard) in &mut neighbours {
                scope.spawn(|| follower.read_to_end(dashboard));
            }
            let attacking: Vec<_> = (0..ATTACKERS)
                .map(|n| {
                    let mut rng = stage.rng.fork();
                    scope.spawn(move || attack(address, format!("h{n}"), each, &mut rng))
                })
                .collect();
            let attacks = attacking.into_iter().map(|attacker| attacker.join().unwrap());
            let (answered, half_open): (Vec<_>, Vec<_>) = attacks.unzip();
            end(address);
            (answered.into_iter().flatten().collect::<Vec<_>>(), half_open)
        });

        let log = witness.into_log();
        log.assert_holds(&answered);
        log.assert_holds_no_other_alerts(&answered);
        for (follower, _) in &neighbours {
            log.assert_seen_by(follower);
        }
        drop(half_open);
        let clients = ATTACKERS * (each + 1) + 3;
        Played { server: Some(server), clients, events: log.len(), reconnects: 0 }
    });
}
