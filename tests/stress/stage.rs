//! Where a scenario is played: alone, from a seed, and with a look afterwards at what it left.

use crate::client::{Dashboard, Transport};
use crate::process::{Census, SCENARIO, connections};
use fastrand::Rng;
use northgate_server::Settings;
use northgate_tests::{PATIENCE, TestServer};
use std::any::type_name;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::io::{Write, stderr};
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::sync::{Mutex, Once, OnceLock, PoisonError};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

/// Held by the scenario that is played: what is measured is the whole process.
static ALONE: Mutex<()> = Mutex::new(());

/// What a process holds from its first server on belongs to no scenario.
static FIRST: Once = Once::new();

/// A server that nobody is connected to is gone at once. One that waits in vain for a task takes
/// its 8 seconds.
const PROMPTLY: Duration = Duration::from_secs(5);

/// How many times as much is done when there is time.
const FULL: usize = 5;

/// What a scenario draws from, and how much it does.
pub struct Stage {
    pub rng: Rng,
    full: bool,
    seats: usize,
}

/// What a scenario did.
pub struct Played {
    /// The server, if it still runs. Nobody is connected to it any more.
    pub server: Option<TestServer>,
    pub clients: usize,
    pub events: usize,
    pub reconnects: usize,
}

impl Stage {
    /// So many in a minute for everything, and more when there is time.
    pub fn volume(&self, count: usize) -> usize {
        if self.full { count * FULL } else { count }
    }

    pub fn is_full(&self) -> bool {
        self.full
    }

    /// A server that holds all that is said, with so many seats for streams.
    pub fn server(&mut self, seats: usize, adjust: impl FnOnce(&mut Settings)) -> TestServer {
        self.seats = seats;
        TestServer::with(|settings| {
            settings.server.max_connections = seats.try_into().unwrap();
            settings.memory.events = 1_000_000.try_into().unwrap();
            settings.chat.rate = 1_000_000.try_into().unwrap();
            settings.chat.burst = 1_000_000.try_into().unwrap();
            adjust(settings);
        })
    }
}

/// Plays a scenario, and then looks whether anything is left of it.
pub fn play<F: FnOnce(&mut Stage) -> Played + Send>(scenario: F) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    FIRST.call_once(|| TestServer::start().stopped());

    let path = type_name::<F>().trim_end_matches("::{{closure}}");
    let name = path.split_once("::").map_or(path, |(_crate, name)| name);
    let full = std::env::var_os("NORTHGATE_FULL").is_some();
    let _replay = Replay { name, full };
    let mut stage = Stage { rng: Rng::with_seed(seed_of(name)), full, seats: 0 };
    let began = Instant::now();
    let before = Census::take();
    let played = thread::scope(|scope| {
        let thread = Builder::new().name(SCENARIO.to_owned());
        let playing = thread.spawn_scoped(scope, || {
            let mut played = scenario(&mut stage);
            if let Some(server) = played.server.take() {
                retire(server, stage.seats);
            }
            played
        });
        playing.unwrap().join().unwrap_or_else(|panic| resume_unwind(panic))
    });
    eventually(
        || format!("{before:?} became {:?}", Census::take()),
        || Census::take().holds_no_more_than(before),
    );
    let Played { clients, events, reconnects, .. } = played;
    let seconds = began.elapsed().as_secs_f64();
    let did = format!("{clients} clients, {events} events, {reconnects} reconnects");
    tell(&format!("stress: {name}: {did}, {seconds:.1} s"));
}

/// Waits for a condition that must come true.
pub fn eventually(otherwise: impl Fn() -> String, condition: impl Fn() -> bool) {
    let patience = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < patience, "{}", otherwise());
        thread::sleep(Duration::from_millis(5));
    }
}

/// Every client is gone: so must be their connections, cursors and tasks.
fn retire(server: TestServer, seats: usize) {
    let address = server.address();
    eventually(
        || format!("{} connections are left", connections(address)),
        || connections(address) == 0,
    );
    eventually(|| "a place is still taken".to_owned(), || fills(address, seats));
    eventually(
        || format!("{} connections are left", connections(address)),
        || connections(address) == 0,
    );
    let asked = Instant::now();
    server.stopped();
    assert!(asked.elapsed() < PROMPTLY, "it stopped after {:?}", asked.elapsed());
}

/// Whether there is a place for exactly so many: each cursor holds one.
fn fills(address: SocketAddr, seats: usize) -> bool {
    let connect = || Dashboard::connect(address, Transport::WebSocket, "", None);
    let taken: Vec<_> = (0..seats).map_while(|_| connect().ok()).collect();
    taken.len() == seats && connect().is_err()
}

/// A seed of the scenario's own: it is the same whichever others are played.
fn seed_of(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed(), name).hash(&mut hasher);
    hasher.finish()
}

/// The seed of this run.
fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| {
        let given = std::env::var("NORTHGATE_SEED").ok();
        let drawn = || RandomState::new().hash_one("seed") >> 32;
        let seed = given.map_or_else(drawn, |seed| seed.parse().expect("NORTHGATE_SEED"));
        tell(&format!("stress: NORTHGATE_SEED={seed}"));
        seed
    })
}

/// Says something even while the test runner keeps what tests print to itself.
fn tell(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

/// Tells how to repeat what failed.
struct Replay<'a> {
    name: &'a str,
    full: bool,
}

impl Drop for Replay<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let (seed, name) = (seed(), self.name);
            let full = if self.full { "NORTHGATE_FULL=1 " } else { "" };
            let test = format!("cargo test -p northgate-tests --test stress -- {name}");
            eprintln!("to repeat this: {full}NORTHGATE_SEED={seed} {test}");
        }
    }
}
