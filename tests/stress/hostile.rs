//! Concurrent attacks of every kind, beside healthy clients that must not be affected.

use crate::attacks::ATTACKS;
use crate::dashboard::Transport;
use crate::delivery_audit::DeliveryAudit;
use crate::publisher::{AcceptedEvent, Publisher, end, padding};
use crate::recording_client::{RecordingClient, joined};
use crate::scenario::{Summary, run};
use fastrand::Rng;
use std::net::{SocketAddr, TcpStream};
use std::thread;

/// Number of concurrent attackers.
const ATTACKERS: usize = 8;

/// Carries out `count` attacks one after the other. After each attack, the server must still answer
/// an alert. Returns the answered alerts and the connections that the attacks left half open.
fn attack(
    address: SocketAddr,
    name: String,
    count: usize,
    rng: &mut Rng,
) -> (Vec<AcceptedEvent>, Vec<TcpStream>) {
    let mut healthy = Publisher::new(address, name);
    let (mut answered, mut half_open) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let (name, attack) = rng.choice(ATTACKS).unwrap();
        let seed = rng.u64(..);
        let attacking = std::panic::catch_unwind(|| attack(address, &mut Rng::with_seed(seed)));
        half_open.extend(attacking.unwrap_or_else(|_| panic!("this attack failed: {name}")));
        answered.push(healthy.raise(&padding(rng)));
    }
    (answered, half_open)
}

#[test]
fn concurrent_attacks_do_not_affect_healthy_clients() {
    run(|scenario| {
        let server = scenario.server(300, |settings| {
            settings.chat.rate = 20.try_into().unwrap();
            settings.chat.burst = 100.try_into().unwrap();
        });
        let address = server.address();
        let mut recorder = RecordingClient::recorder();
        let mut recording = recorder.join(address, Transport::WebSocket);
        let mut neighbours = Transport::BOTH.map(|transport| joined(address, transport));
        let each = scenario.volume(100);
        let (answered, half_open) = thread::scope(|scope| {
            scope.spawn(|| recorder.read_to_end(&mut recording));
            for (follower, dashboard) in &mut neighbours {
                scope.spawn(|| follower.read_to_end(dashboard));
            }
            let attacking: Vec<_> = (0..ATTACKERS)
                .map(|n| {
                    let mut rng = scenario.rng.fork();
                    scope.spawn(move || attack(address, format!("h{n}"), each, &mut rng))
                })
                .collect();
            let attacks = attacking.into_iter().map(|attacker| attacker.join().unwrap());
            let (answered, half_open): (Vec<_>, Vec<_>) = attacks.unzip();
            end(address);
            (answered.into_iter().flatten().collect::<Vec<_>>(), half_open)
        });

        let audit = DeliveryAudit::of(recorder);
        audit.assert_contains(&answered);
        audit.assert_no_other_alerts(&answered);
        for (follower, _) in &neighbours {
            audit.assert_delivered_to(follower);
        }
        drop(half_open);
        let clients = ATTACKERS * (each + 1) + 3;
        Summary { server: Some(server), clients, events: audit.len(), reconnects: 0 }
    });
}
