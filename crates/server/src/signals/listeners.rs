//! The signals that are listened to, and what each of them asks for.

use rustix::process::Signal as Number;
use std::future::poll_fn;
use std::io;
use std::task::Poll;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Stop,
    /// A signal that is meant for other programs, and that would end this one without a word.
    Ignore,
}

/// The signals that are listened to, by their names.
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

/// Listens to all of them.
pub(super) struct Listeners(Vec<(&'static str, Effect, Signal)>);

impl Listeners {
    pub(super) fn register() -> io::Result<Self> {
        let listen = |(name, number, effect): (_, Number, _)| {
            Ok((name, effect, signal(SignalKind::from_raw(number.as_raw()))?))
        };
        SIGNALS.into_iter().map(listen).collect::<io::Result<_>>().map(Self)
    }

    /// The next signal: its name, and what it asks for.
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
