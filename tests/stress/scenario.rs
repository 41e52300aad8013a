//! Runs one scenario at a time from a seed, and then checks that the scenario left nothing open.

use crate::census::{Census, SCENARIO_THREAD, connections};
use crate::dashboard::{Dashboard, Transport};
use fastrand::Rng;
use northgate_server::Settings;
use northgate_testkit::{TestServer, eventually, is_full_run, set_window};
use std::any::type_name;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::io::{Write, stderr};
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::sync::{Mutex, Once, OnceLock, PoisonError};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

/// Locked by the running scenario, since files, threads and memory are measured per process.
static ALONE: Mutex<()> = Mutex::new(());

/// Starts and stops one server before the first scenario. The files and threads that this server
/// leaves open in the process are not counted for any scenario.
static FIRST: Once = Once::new();

/// Upper bound of the time that a server without clients needs to stop. A server with a task that
/// does not end needs 8 seconds.
const PROMPTLY: Duration = Duration::from_secs(5);

/// Factor of all volumes in a full run (`NORTHGATE_FULL`).
const FULL: usize = 5;

/// The random numbers and the size of a scenario.
pub struct Scenario {
    pub rng: Rng,
    full: bool,
    limit: usize,
}

/// The result of a scenario, for the summary line.
pub struct Summary {
    /// The server, if it still runs. No client is connected to it.
    pub server: Option<TestServer>,
    pub clients: usize,
    pub events: usize,
    pub reconnects: usize,
}

impl Scenario {
    /// Returns `count`, or five times as many in a full run. All scenarios together last about one
    /// minute if the run is not full.
    pub fn volume(&self, count: usize) -> usize {
        if self.full { count * FULL } else { count }
    }

    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Starts a server that retains every event and accepts at most `limit` streams.
    pub fn server(&mut self, limit: usize, adjust: impl FnOnce(&mut Settings)) -> TestServer {
        self.limit = limit;
        TestServer::with(|settings| {
            settings.server.max_connections = limit.try_into().unwrap();
            set_window(settings, 1_000_000);
            settings.chat.rate = 1_000_000.try_into().unwrap();
            settings.chat.burst = 1_000_000.try_into().unwrap();
            adjust(settings);
        })
    }
}

/// Runs a scenario, and then checks that the scenario left no file, thread or connection open.
pub fn run<F: FnOnce(&mut Scenario) -> Summary + Send>(play: F) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    FIRST.call_once(|| TestServer::start().stopped());

    let path = type_name::<F>().trim_end_matches("::{{closure}}");
    let name = path.split_once("::").map_or(path, |(_crate, name)| name);
    let full = is_full_run();
    let _replay = Replay { name, full };
    let mut scenario = Scenario { rng: Rng::with_seed(seed_of(name)), full, limit: 0 };
    let began = Instant::now();
    let before = Census::take();
    let played = thread::scope(|scope| {
        let thread = Builder::new().name(SCENARIO_THREAD.to_owned());
        let playing = thread.spawn_scoped(scope, || {
            let mut played = play(&mut scenario);
            if let Some(server) = played.server.take() {
                retire(server, scenario.limit);
            }
            played
        });
        playing.unwrap().join().unwrap_or_else(|panic| resume_unwind(panic))
    });
    eventually(|| match Census::take() {
        now if now.holds_no_more_than(before) => Ok(()),
        now => Err(format!("open before: {before:?}, after: {now:?}")),
    });
    let Summary { clients, events, reconnects, .. } = played;
    let seconds = began.elapsed().as_secs_f64();
    let did = format!("{clients} clients, {events} events, {reconnects} reconnects");
    tell(&format!("stress: {name}: {did}, {seconds:.1} s"));
}

/// Stops the server. All clients have disconnected, so their connections, cursors and tasks must
/// have ended.
fn retire(server: TestServer, limit: usize) {
    let address = server.address();
    let none_is_left = || match connections(address) {
        0 => Ok(()),
        left => Err(format!("{left} connections are still open")),
    };
    eventually(none_is_left);
    eventually(|| fills(address, limit));
    eventually(none_is_left);
    let asked = Instant::now();
    server.stopped();
    assert!(asked.elapsed() < PROMPTLY, "the server took {:?} to stop", asked.elapsed());
}

/// Returns whether the server accepts exactly `limit` streams. A leftover cursor would occupy one
/// of these streams.
fn fills(address: SocketAddr, limit: usize) -> bool {
    let connect = || Dashboard::connect(address, Transport::WebSocket, "", None);
    let taken: Vec<_> = (0..limit).map_while(|_| connect().ok()).collect();
    taken.len() == limit && connect().is_err()
}

/// Returns the scenario's own seed. The seed depends on the run's seed and the scenario's name, not
/// on the other scenarios.
fn seed_of(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed(), name).hash(&mut hasher);
    hasher.finish()
}

/// Returns the seed of this run, from `NORTHGATE_SEED` or random. The first call prints the seed.
fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| {
        let given = std::env::var("NORTHGATE_SEED").ok();
        let drawn = || RandomState::new().hash_one("seed") >> 32;
        let seed = given.map_or_else(drawn, |seed| {
            seed.parse().expect("NORTHGATE_SEED must be an unsigned 64-bit number")
        });
        tell(&format!("stress: NORTHGATE_SEED={seed}"));
        seed
    })
}

/// Prints a line even while the test runner captures the output of tests.
fn tell(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

/// Prints the command that repeats a failed scenario.
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
            eprintln!("repeat with: {full}NORTHGATE_SEED={seed} {test}");
        }
    }
}
