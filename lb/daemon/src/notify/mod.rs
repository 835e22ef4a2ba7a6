//! Tells a program or a webhook when a virtual router changes its state: in order, one change at a time, the latest
//! state of each router first of all that wait.

mod alert;
mod carrier;
mod queue;
#[cfg(test)]
mod tests;
mod webhook;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use lb_core::config::VirtualRouter;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::control::Timeline;
use crate::metrics::Metrics;
use crate::vrrp::State;
use carrier::Carrier;
use queue::Queue;

/// The state of a virtual router is another one, or has another reason.
#[derive(Clone, Debug)]
pub struct Change {
    pub router: Arc<str>,
    pub state: Word,
    /// What it advertises, or would.
    pub priority: u8,
    pub reason: String,
    /// It is Active because another router that was Active fell silent, released, or cannot serve: somebody should
    /// look at that one.
    pub took_over: bool,
    pub at: Instant,
}

/// A state in keepalived's words, which is what scripts expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Master,
    Backup,
    Fault,
    Stop,
}

impl From<State> for Word {
    fn from(state: State) -> Self {
        match state {
            State::Initialize => Self::Stop,
            State::Backup => Self::Backup,
            State::Active => Self::Master,
            State::Fault => Self::Fault,
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Master => "MASTER",
            Self::Backup => "BACKUP",
            Self::Fault => "FAULT",
            Self::Stop => "STOP",
        })
    }
}

/// The way to the one task that tells. Any thread may use it; nothing here waits.
#[derive(Clone, Debug)]
pub struct Notifier(UnboundedSender<Message>);

#[derive(Debug)]
enum Message {
    Configure(Vec<VirtualRouter>),
    Tell(Change),
    /// Answered when nothing waits.
    Idle(oneshot::Sender<()>),
}

impl Notifier {
    /// Starts the task; what comes of its work goes into `timeline` and `metrics`. Must run inside a runtime.
    /// `node` is this host's name in webhooks.
    pub fn start(timeline: Arc<Timeline>, metrics: Arc<Metrics>, node: Option<String>) -> Self {
        let (sender, messages) = unbounded_channel();
        let carrier = Carrier::new(timeline, metrics, node.unwrap_or_default());
        tokio::spawn(run(messages, carrier));
        Self(sender)
    }

    /// Who is told, from now on. A router that is gone from `routers` is told of until its STOP.
    pub fn configure(&self, routers: &[VirtualRouter]) {
        self.send(Message::Configure(routers.to_vec()));
    }

    /// Puts a change into the queue; one of the same router that still waits is dropped.
    pub fn tell(&self, change: Change) {
        self.send(Message::Tell(change));
    }

    /// Waits until everything has been told; for the end of the daemon, which should set a limit.
    pub async fn idle(&self) {
        let (sender, idle) = oneshot::channel();
        self.send(Message::Idle(sender));
        // an error means that the task is gone: then nothing waits
        let _ = idle.await;
    }

    fn send(&self, message: Message) {
        // the task lives as long as the runtime
        let _ = self.0.send(message);
    }
}

/// What has come and was not told yet.
#[derive(Debug, Default)]
struct Desk {
    queue: Queue,
    waiting: Vec<oneshot::Sender<()>>,
    /// Since the last configuration nothing was told.
    configured: bool,
}

impl Desk {
    fn accept(&mut self, message: Message) {
        match message {
            Message::Configure(routers) => {
                self.queue.configure(&routers);
                self.configured = true;
            }
            Message::Tell(change) => self.queue.push(change),
            Message::Idle(sender) => self.waiting.push(sender),
        }
    }
}

async fn run(mut messages: UnboundedReceiver<Message>, mut carrier: Carrier) {
    let mut desk = Desk::default();
    loop {
        let Some((change, notify)) = desk.queue.next() else {
            for sender in desk.waiting.drain(..) {
                // whoever asked may have given up
                let _ = sender.send(());
            }
            match messages.recv().await {
                Some(message) => desk.accept(message),
                None => return,
            }
            continue;
        };
        if std::mem::take(&mut desk.configured) {
            carrier.renew();
        }
        let delivery = carrier.deliver(&change, &notify);
        tokio::pin!(delivery);
        loop {
            tokio::select! {
                () = &mut delivery => break,
                Some(message) = messages.recv() => desk.accept(message),
            }
        }
    }
}
