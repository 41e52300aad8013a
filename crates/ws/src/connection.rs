//! The task that reads one client: message by message, until one side is gone.

use crate::close::{Closing, LINGER};
use crate::guard::FrameGuard;
use crate::heartbeat::Heartbeat;
use crate::message_handler::{ClientMessage, MessageHandler, Reply};
use crate::session::{Reaction, on_decode_error, on_end, on_message, on_silence};
use actix_ws::{AggregatedMessageStream, Closed, Session};
use std::rc::Rc;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

/// The reading half of a connection. It ends when the client's stream does, which is also when
/// the feed is dropped. The feed sees its end when `session` is dropped.
pub(crate) struct Connection<C> {
    pub(crate) messages: AggregatedMessageStream,
    pub(crate) guard: FrameGuard,
    pub(crate) session: Session,
    pub(crate) handler: C,
    pub(crate) closing: oneshot::Sender<Closing>,
    /// Notified when what was sent has been handed to the HTTP writer, and when nothing is any
    /// more.
    pub(crate) taken: Rc<Notify>,
    pub(crate) heartbeat: Heartbeat,
}

/// The library queues 32 frames, whatever their size. Of answers that are larger than this, one
/// waits for its client at a time.
const LARGE_ANSWER_BYTES: usize = 4 * 1024;

impl<C: MessageHandler> Connection<C> {
    /// Runs until the connection ends. One message at a time: a client that does not take its
    /// pongs and answers is not read any further, which costs only itself.
    pub(crate) async fn run(mut self) {
        let closing = loop {
            let received = timeout_at(self.heartbeat.due(), self.messages.recv()).await;
            let now = Instant::now();
            let reaction = if let Ok(received) = received {
                self.heartbeat.heard(now);
                match received {
                    Some(Ok(message)) => on_message(message),
                    Some(Err(error)) => on_decode_error(&error),
                    None => on_end(self.guard.violation()),
                }
            } else {
                on_silence(self.heartbeat.beat(now))
            };
            match self.perform(reaction).await {
                Ok(None) => {}
                Ok(Some(closing)) => break closing,
                Err(Closed) => return,
            }
        };
        // An error means that the feed is gone: the close is done.
        let _ = self.closing.send(closing);
        if let Closing::With(_) = closing {
            // An error means that the client was given its moment and still sends, or does not
            // answer: read no more.
            let _ = timeout(LINGER, self.guard.discard()).await;
        }
    }

    /// Does what a frame asks for. `Some` is the end, with a word; an error is one without.
    async fn perform(&mut self, reaction: Reaction) -> Result<Option<Closing>, Closed> {
        match reaction {
            Reaction::Nothing => {}
            Reaction::Ping => self.session.ping(b"").await?,
            Reaction::Pong(payload) => self.session.pong(&payload).await?,
            Reaction::Handle(message) => match self.handler.handle(message).await {
                Reply::Nothing => {}
                Reply::Send(message) => self.send(message).await?,
                Reply::Close(code) => return Ok(Some(Closing::With(code))),
            },
            Reaction::Close(closing) => return Ok(Some(closing)),
            Reaction::Leave => return Err(Closed),
        }
        Ok(None)
    }

    async fn send(&mut self, message: ClientMessage) -> Result<(), Closed> {
        let bytes = match &message {
            ClientMessage::Text(text) => text.len(),
            ClientMessage::Binary(bytes) => bytes.len(),
        };
        match message {
            ClientMessage::Text(text) => self.session.text(text).await?,
            ClientMessage::Binary(bytes) => self.session.binary(bytes).await?,
        }
        if bytes > LARGE_ANSWER_BYTES {
            self.taken.notified().await;
        }
        Ok(())
    }
}
