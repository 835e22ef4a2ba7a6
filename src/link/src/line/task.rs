//! Keeps the connection up.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tonic::Streaming;

use super::dial::{Dialled, dial, text};
use super::{Batch, Connection, LineState, Shared};
use crate::protocol::{Down, Events, UNACKNOWLEDGED, down};
use crate::{Identity, LineSettings, Numbered, Role};

pub(super) async fn run(
    settings: LineSettings,
    me: Identity,
    expected: Role,
    events: Option<mpsc::Sender<Batch>>,
    shared: Arc<Shared>,
    mut handles: watch::Receiver<()>,
) {
    tokio::select! {
        // nothing is ever sent: it ends with the last handle
        _ = handles.changed() => {}
        () = keep_up(&settings, &me, expected, events, &shared) => {}
    }
}

async fn keep_up(
    settings: &LineSettings,
    me: &Identity,
    expected: Role,
    events: Option<mpsc::Sender<Batch>>,
    shared: &Shared,
) {
    let (first, most) = settings.reconnect;
    let mut pause = first;
    let mut told = String::new();
    loop {
        let start = Instant::now();
        let reason = match dial(settings, me, expected, events.is_some()).await {
            Ok(dialled) => {
                tracing::info!(server = %settings.server, peer = %dialled.peer, "connected");
                let reason = drive(dialled, settings, events.as_ref(), shared).await;
                tracing::warn!(server = %settings.server, reason, "the connection is lost");
                told.clear();
                reason
            }
            Err(reason) => {
                // once for each reason: it is tried very often
                if reason != told {
                    tracing::warn!(server = %settings.server, reason, "cannot connect");
                    told.clone_from(&reason);
                }
                reason
            }
        };
        shared.down(reason);
        if start.elapsed() > most + settings.connect {
            pause = first;
        }
        sleep(pause).await;
        pause = (pause * 2).min(most);
    }
}

/// Until the connection is lost; returns why.
async fn drive(
    Dialled { peer, standing, requests, control, mut frames }: Dialled,
    settings: &LineSettings,
    events: Option<&mpsc::Sender<Batch>>,
    shared: &Shared,
) -> String {
    let connection = Arc::new(Connection { requests, control, handed: std::sync::atomic::AtomicI64::new(0) });
    shared.up(&connection, peer.clone(), standing);
    // each batch has an event at least: a peer that keeps to the protocol never fills it
    let (queue, queued) = mpsc::channel(2 * UNACKNOWLEDGED);
    let reader = Reader { connection: &connection, shared, peer: peer.clone(), queue };
    tokio::select! {
        reason = reader.read(&mut frames, settings) => reason,
        () = hand_on(queued, &peer, events, &connection) => pending().await,
    }
}

/// Whoever takes the events may be slow: verdicts do not wait for them.
async fn hand_on(
    mut queued: mpsc::Receiver<Vec<Numbered>>,
    peer: &Identity,
    events: Option<&mpsc::Sender<Batch>>,
    connection: &Connection,
) {
    let Some(events_to) = events else { return pending().await };
    while let Some(events) = queued.recv().await {
        if let Some(last) = events.last() {
            connection.handed.store(last.id, Relaxed);
        }
        if events_to.send(Batch { from: peer.clone(), events }).await.is_err() {
            // nobody wants them any more; the peer will wait for acknowledgements
            return pending().await;
        }
    }
}

struct Reader<'a> {
    connection: &'a Connection,
    shared: &'a Shared,
    peer: Identity,
    queue: mpsc::Sender<Vec<Numbered>>,
}

impl Reader<'_> {
    async fn read(&self, frames: &mut Streaming<Down>, settings: &LineSettings) -> String {
        let mut heard = Instant::now();
        let mut asking = interval(settings.silence / 3);
        asking.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                frame = frames.message() => {
                    heard = Instant::now();
                    let read = match frame {
                        Ok(Some(Down { frame })) => frame.map_or(Ok(()), |frame| self.take(frame)),
                        Ok(None) => return "the peer has closed the connection".to_owned(),
                        Err(status) => return text(&status),
                    };
                    if let Err(reason) = read {
                        tracing::error!(peer = %self.peer, reason, "a peer does not keep to the protocol");
                        return reason;
                    }
                }
                _ = asking.tick() => {
                    self.connection.control.ask();
                }
                () = sleep_until(heard + settings.silence) => {
                    return format!("nothing heard for {} ms", settings.silence.as_millis());
                }
            }
        }
    }

    fn take(&self, frame: down::Frame) -> Result<(), String> {
        match frame {
            down::Frame::Welcome(_) => Err("Welcome comes once".to_owned()),
            down::Frame::Verdicts(verdicts) => self.connection.requests.verdicts(verdicts),
            down::Frame::Answer(answer) => self.connection.requests.answer(answer),
            down::Frame::Events(Events { events }) => {
                let events = events.into_iter().map(Numbered::from).collect();
                self.queue.try_send(events).map_err(|_| "more events than may be unacknowledged".to_owned())
            }
            down::Frame::Standing(standing) => {
                let standing = standing.into();
                self.shared.state.send_replace(LineState::Up { peer: self.peer.clone(), standing });
                Ok(())
            }
            down::Frame::Pong(pong) => {
                self.connection.control.pong(pong.number);
                Ok(())
            }
        }
    }
}
