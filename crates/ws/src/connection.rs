//! The reading half of a connection: a task that reads one client until one side disconnects.

use crate::close::{Closing, LINGER};
use crate::guard::FrameGuard;
use crate::heartbeat::Heartbeat;
use crate::message_handler::{ClientMessage, MessageHandler, Reply};
use crate::session::{Reaction, on_decode_error, on_end, on_message, on_silence};
use actix_ws::{AggregatedMessageStream, Closed, Session};
use std::rc::Rc;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

/// The reading half of a connection. The task ends when the client's stream ends; that stream also
/// ends when the outgoing body is dropped. Dropping `session` ends the outgoing body.
pub(crate) struct Connection<C> {
    pub(crate) messages: AggregatedMessageStream,
    pub(crate) guard: FrameGuard,
    pub(crate) session: Session,
    pub(crate) handler: C,
    pub(crate) closing: oneshot::Sender<Closing>,
    /// Notified when queued frames were passed to the HTTP writer, and when the outgoing body is
    /// dropped.
    pub(crate) taken: Rc<Notify>,
    pub(crate) heartbeat: Heartbeat,
}

/// Size in bytes above which a reply must reach the HTTP writer before the next message is read.
/// `actix-ws` queues up to 32 frames of any size, so large replies would otherwise use too much
/// memory.
const LARGE_ANSWER_BYTES: usize = 4 * 1024;

impl<C: MessageHandler> Connection<C> {
    /// Runs until the connection ends, and processes one message at a time. While a client does not
    /// read its pongs and replies, the server reads nothing more from this client; other clients
    /// are not affected.
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
        // An error means that the outgoing body was dropped: the connection has already ended.
        let _ = self.closing.send(closing);
        if let Closing::With(_) = closing {
            // An error means that the client still sends, or has not answered, after `LINGER`: stop
            // reading.
            let _ = timeout(LINGER, self.guard.discard()).await;
        }
    }

    /// Performs a reaction. `Some` ends the connection with a Close frame, an error ends it without
    /// one.
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
