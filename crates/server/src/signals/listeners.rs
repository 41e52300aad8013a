//! The handled signals and the effect of each.

use rustix::process::Signal as Number;
use std::future::poll_fn;
use std::io;
use std::task::Poll;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Effect of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Stop,
    /// The signal has no meaning for this server, but would end the process without a handler.
    Ignore,
}

/// All handled signals, with their names.
const SIGNALS: [(&str, Number, Effect); 12] = [
    ("SIGTERM", Number::TERM, Effect::Stop),
    ("SIGINT", Number::INT, Effect::Stop),
    ("SIGQUIT", Number::QUIT, Effect::Stop),
    ("SIGPWR", Number::POWER, Effect::Stop),
    ("SIGXCPU", Number::XCPU, Effect::Stop),
    ("SIGHUP", Number::HUP, Effect::Ignore),
    ("SIGUSR1", Number::USR1, Effect::Ignore),
    ("SIGUSR2", Number::USR2, Effect::Ignore),
    ("SIGALRM", Number::ALARM, Effect::Ignore),
    ("SIGVTALRM", Number::VTALARM, Effect::Ignore),
    ("SIGPROF", Number::PROF, Effect::Ignore),
    ("SIGIO", Number::IO, Effect::Ignore),
];

/// Listeners for all of [`SIGNALS`].
pub(super) struct Listeners(Vec<(&'static str, Effect, Signal)>);

impl Listeners {
    pub(super) fn register() -> io::Result<Self> {
        let listen = |(name, number, effect): (_, Number, _)| {
            Ok((name, effect, signal(SignalKind::from_raw(number.as_raw()))?))
        };
        SIGNALS.into_iter().map(listen).collect::<io::Result<_>>().map(Self)
    }

    /// Waits for the next signal and returns its name and effect.
    pub(super) async fn next(&mut self) -> (&'static str, Effect) {
        poll_fn(|cx| {
            for (name, effect, listener) in &mut self.0 {
                if let Poll::Ready(Some(())) = listener.poll_recv(cx) {
                    return Poll::Ready((*name, *effect));
                }
            }
            Poll::Pending
        })
        .await
    }
}
