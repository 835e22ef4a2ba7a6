//! One peer, from its greeting to its end.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use domain::UaopId;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tonic::{Status, Streaming};

use super::greeting::Peer;
use super::{Alive, Shared, WINDOW, events, stopped};
use crate::protocol::{self, Answer, Down, Offers, Pong, Question, Up, Verdicts, Welcome, down, up};
use crate::{Intake, Standing, Verdict};

/// How long a server that stops still answers what was on its way to it: with `Later`, so that nothing is in doubt.
const LINGER: Duration = Duration::from_millis(250);
/// How long a server that stops waits for its intake.
const DRAIN: Duration = Duration::from_secs(30);

pub(super) struct Connection {
    shared: Arc<Shared>,
    peer: Peer,
    address: String,
    out: mpsc::Sender<Result<Down, Status>>,
    standing: watch::Receiver<Standing>,
    /// What the intake is asked at present; each ends with the frame that answers.
    calls: JoinSet<Result<Answered, Status>>,
    /// Messages and questions in `calls`.
    under_way: usize,
    /// Up to where events were sent.
    sent: Arc<AtomicI64>,
    acknowledged: watch::Sender<i64>,
    /// Since when the server stops.
    stopping: Option<Instant>,
    /// Keeps the server from ending.
    _alive: Alive,
}

struct Answered {
    count: usize,
    frame: down::Frame,
}

/// The connection is over; `None`: as it should.
type Ended = Option<Status>;

impl Connection {
    pub(super) fn new(
        shared: Arc<Shared>,
        peer: Peer,
        address: String,
        out: mpsc::Sender<Result<Down, Status>>,
    ) -> Self {
        let acknowledged = peer.acknowledged.unwrap_or_default();
        Self {
            standing: shared.intake.standing(),
            _alive: Alive::new(&shared),
            shared,
            peer,
            address,
            out,
            calls: JoinSet::new(),
            under_way: 0,
            sent: Arc::new(AtomicI64::new(acknowledged)),
            acknowledged: watch::Sender::new(acknowledged),
            stopping: None,
        }
    }

    pub(super) async fn run(mut self, mut frames: Streaming<Up>) {
        tracing::info!(peer = %self.peer.identity, address = self.address, "a peer is connected");
        let telling = self.tell();
        let Err(ended) = self.speak(&mut frames).await;
        drop(telling);
        let reason = ended.as_ref().map_or("it has closed", Status::message).to_owned();
        tracing::info!(peer = %self.peer.identity, address = self.address, reason, "a peer is gone");
        if let Some(status) = ended {
            // it may be gone indeed
            let _ = timeout(self.peer.silence, self.out.send(Err(status))).await;
        }
        drop(self.out);
        // whoever takes a message is not interrupted
        while self.calls.join_next().await.is_some() {}
    }

    /// Starts the telling of events, until it is dropped.
    fn tell(&self) -> JoinSet<()> {
        let mut telling = JoinSet::new();
        if let (Some(teller), Some(_)) = (&self.shared.teller, self.peer.acknowledged) {
            let consumer = events::Consumer {
                teller: Arc::clone(teller),
                name: self.peer.identity.node.clone(),
                acknowledged: self.acknowledged.subscribe(),
            };
            telling.spawn(events::tell(consumer.clone(), Arc::clone(&self.sent), self.out.clone()));
            telling.spawn(events::acknowledge(consumer));
        }
        telling
    }

    async fn speak(&mut self, frames: &mut Streaming<Up>) -> Result<std::convert::Infallible, Ended> {
        let welcome = Welcome {
            protocol: protocol::PROTOCOL,
            version: protocol::VERSION.to_owned(),
            from: Some((&self.shared.me).into()),
            window: u32::try_from(WINDOW).unwrap_or(u32::MAX),
            standing: Some(self.standing.borrow_and_update().clone().into()),
        };
        self.send(down::Frame::Welcome(welcome)).await?;
        let mut heard = Instant::now();
        let stopping = self.shared.stopping.clone();
        loop {
            let end = end(self.stopping, self.calls.is_empty());
            tokio::select! {
                Some(answered) = self.calls.join_next(), if !self.calls.is_empty() => {
                    self.answer(answered).await?;
                }
                frame = frames.message() => {
                    heard = Instant::now();
                    match frame {
                        Ok(Some(Up { frame })) => self.take(frame).await?,
                        Ok(None) => return Err(None),
                        Err(status) => return Err(Some(status)),
                    }
                }
                changed = self.standing.changed(), if self.stopping.is_none() => {
                    let standing = match changed {
                        Ok(()) => self.standing.borrow_and_update().clone(),
                        Err(_) => stops(),
                    };
                    self.send(down::Frame::Standing(standing.into())).await?;
                    if changed.is_err() {
                        self.stopping = Some(Instant::now());
                    }
                }
                () = stopped(stopping.clone()), if self.stopping.is_none() => {
                    self.stopping = Some(Instant::now());
                    self.send(down::Frame::Standing(stops().into())).await?;
                }
                () = end => return Err(None),
                () = sleep_until(heard + self.peer.silence) => {
                    let waited = self.peer.silence.as_millis();
                    return Err(Some(Status::deadline_exceeded(format!("nothing heard for {waited} ms"))));
                }
            }
        }
    }

    async fn take(&mut self, frame: Option<up::Frame>) -> Result<(), Ended> {
        match frame {
            // of a newer peer
            None => Ok(()),
            Some(up::Frame::Hello(_)) => Err(Some(Status::invalid_argument("Hello comes once"))),
            Some(up::Frame::Offers(offers)) => self.offers(offers),
            Some(up::Frame::Question(question)) => self.question(question),
            Some(up::Frame::Acknowledge(acknowledge)) => {
                // beyond what was sent here: it is about another connection
                if acknowledge.up_to <= self.sent.load(Relaxed) {
                    self.acknowledged.send_if_modified(|up_to| {
                        let grows = acknowledge.up_to > *up_to;
                        *up_to = acknowledge.up_to.max(*up_to);
                        grows
                    });
                }
                Ok(())
            }
            Some(up::Frame::Ping(ping)) => self.send(down::Frame::Pong(Pong { number: ping.number })).await,
        }
    }

    fn offers(&mut self, Offers { request, offers }: Offers) -> Result<(), Ended> {
        self.enter(offers.len())?;
        let mut good = Vec::with_capacity(offers.len());
        let places: Vec<Result<(), Verdict>> = offers
            .into_iter()
            .map(|offer| match protocol::offer(offer) {
                Ok(offer) => {
                    good.push(offer);
                    Ok(())
                }
                Err(reason) => Err(Verdict::Refused { reason }),
            })
            .collect();
        let (shared, from) = (Arc::clone(&self.shared), self.peer.identity.clone());
        let stops = self.stopping.is_some();
        self.calls.spawn(async move {
            let count = good.len();
            let taken = if stops {
                let reason = format!("this {} stops", shared.me.role);
                vec![Verdict::Later { reason }; count]
            } else if count == 0 {
                Vec::new()
            } else {
                shared.intake.take(&from, good).await
            };
            if taken.len() != count {
                tracing::error!(offers = count, verdicts = taken.len(), "not one verdict for each offer");
                return Err(Status::internal("not one verdict for each offer"));
            }
            let mut taken = VecDeque::from(taken);
            let verdicts: Vec<protocol::Verdict> = places
                .into_iter()
                .filter_map(|place| place.map_or_else(Some, |()| taken.pop_front()))
                .map(Into::into)
                .collect();
            let count = verdicts.len();
            Ok(Answered { count, frame: down::Frame::Verdicts(Verdicts { request, verdicts }) })
        });
        Ok(())
    }

    fn question(&mut self, Question { request, uaop_ids }: Question) -> Result<(), Ended> {
        let count = uaop_ids.len();
        self.enter(count)?;
        let ids: Result<Vec<UaopId>, _> = uaop_ids.iter().map(|id| id.parse()).collect();
        let intake: Arc<dyn Intake> = Arc::clone(&self.shared.intake);
        self.calls.spawn(async move {
            let known = match ids {
                Ok(ids) => intake.known(ids).await,
                Err(error) => Err(format!("uaop_id {error}")),
            };
            let answer = match known {
                Ok(taken) if taken.len() == count => Answer { request, taken, failed: None },
                Ok(_) => return Err(Status::internal("not one answer for each id")),
                Err(reason) => Answer { request, taken: Vec::new(), failed: Some(reason) },
            };
            Ok(Answered { count, frame: down::Frame::Answer(answer) })
        });
        Ok(())
    }

    fn enter(&mut self, count: usize) -> Result<(), Ended> {
        if count == 0 {
            return Err(Some(Status::invalid_argument("a request without content")));
        }
        self.under_way += count;
        if self.under_way > WINDOW {
            let text = format!("more than {WINDOW} messages without a verdict");
            return Err(Some(Status::resource_exhausted(text)));
        }
        Ok(())
    }

    async fn answer(
        &mut self,
        answered: Result<Result<Answered, Status>, tokio::task::JoinError>,
    ) -> Result<(), Ended> {
        let answered = answered.map_err(|error| {
            tracing::error!(%error, "the intake failed");
            Some(Status::internal("the intake failed"))
        })?;
        let Answered { count, frame } = answered.map_err(Some)?;
        // first: whoever reads the verdict may send at once
        self.under_way -= count;
        self.send(frame).await
    }

    /// Waits while the peer does not read.
    async fn send(&self, frame: down::Frame) -> Result<(), Ended> {
        match timeout(self.peer.silence, self.out.send(Ok(frame.into()))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Some(Status::cancelled("the connection is broken"))),
            Err(_) => Err(Some(Status::deadline_exceeded("it does not read"))),
        }
    }
}

/// When a server that stops has nothing more to say.
async fn end(stopping: Option<Instant>, idle: bool) {
    match stopping {
        None => pending().await,
        Some(since) => sleep_until(since + if idle { LINGER } else { DRAIN }).await,
    }
}

fn stops() -> Standing {
    Standing { ready: false, reason: "it stops".to_owned() }
}
