//! What is asked and not answered, within the window.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::UaopId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use crate::protocol::{
    self, Answer, FRAME_BYTES, FRAME_COUNT, LARGEST_OFFER, Offers, Question, Up, Verdicts, up,
};
use crate::{LineError, Offer, Verdict};

/// A peer that lives and does not answer for so long is taken to have lost the question.
const ANSWER: Duration = Duration::from_secs(30);
/// Of an offer, beside its text.
const OVERHEAD: usize = 256;

#[derive(Debug)]
pub(super) struct Requests {
    room: Arc<Semaphore>,
    /// The size of the window.
    window: usize,
    out: mpsc::Sender<Up>,
    next: AtomicU64,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    waiting: BTreeMap<u64, Waiting>,
    /// Set once.
    lost: Option<String>,
}

#[derive(Debug)]
struct Waiting {
    count: usize,
    answer: oneshot::Sender<Result<Answered, LineError>>,
    /// Given back with the answer, whether anybody still waits for it or not.
    _room: OwnedSemaphorePermit,
}

#[derive(Debug)]
enum Answered {
    Verdicts(Vec<Verdict>),
    Known(Vec<bool>),
}

type Receiver = oneshot::Receiver<Result<Answered, LineError>>;

impl Requests {
    pub(super) fn new(window: usize, out: mpsc::Sender<Up>) -> Self {
        let window = window.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        let room = Arc::new(Semaphore::new(window));
        Self { room, window, out, next: AtomicU64::new(1), open: Mutex::default() }
    }

    pub(super) async fn submit(&self, offers: Vec<Offer>) -> Result<Vec<Verdict>, LineError> {
        let mut asked = Vec::new();
        for piece in pieces(offers, self.window.min(FRAME_COUNT)) {
            asked.push(match piece {
                Piece::Offers(offers) => {
                    let frame = |request| {
                        let offers = offers.into_iter().map(protocol::Offer::from).collect::<Vec<_>>();
                        (offers.len(), up::Frame::Offers(Offers { request, offers }))
                    };
                    match self.ask(frame).await {
                        Ok(receiver) => Asked::Sent(receiver),
                        Err(error) => return Err(unless_sent(error, &asked)),
                    }
                }
                Piece::TooLarge => Asked::TooLarge,
            });
        }
        let mut verdicts = Vec::new();
        for asked in asked {
            match asked {
                Asked::Sent(receiver) => match wait(receiver).await? {
                    Answered::Verdicts(more) => verdicts.extend(more),
                    Answered::Known(_) => return Err(mixed_up()),
                },
                Asked::TooLarge => {
                    let reason = format!("it has more than {LARGEST_OFFER} bytes");
                    verdicts.push(Verdict::Refused { reason });
                }
            }
        }
        Ok(verdicts)
    }

    pub(super) async fn known(&self, ids: Vec<UaopId>) -> Result<Vec<bool>, LineError> {
        let mut known = Vec::with_capacity(ids.len());
        for ids in ids.chunks(self.window.min(FRAME_COUNT)) {
            let uaop_ids: Vec<String> = ids.iter().map(|id| id.as_str().to_owned()).collect();
            let frame = |request| (uaop_ids.len(), up::Frame::Question(Question { request, uaop_ids }));
            match wait(self.ask(frame).await?).await? {
                Answered::Known(more) => known.extend(more),
                Answered::Verdicts(_) => return Err(mixed_up()),
            }
        }
        Ok(known)
    }

    /// Sends a request once there is room in the window and on the wire.
    async fn ask(&self, frame: impl FnOnce(u64) -> (usize, up::Frame)) -> Result<Receiver, LineError> {
        let request = self.next.fetch_add(1, Relaxed);
        let (count, frame) = frame(request);
        let permits = u32::try_from(count).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(permits).await;
        let room = room.map_err(|_| LineError::Down(self.why_lost()))?;
        let slot = self.out.reserve().await.map_err(|_| LineError::Down(self.why_lost()))?;
        let (answer, receiver) = oneshot::channel();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = &open.lost {
            return Err(LineError::Down(reason.clone()));
        }
        open.waiting.insert(request, Waiting { count, answer, _room: room });
        slot.send(frame.into());
        Ok(receiver)
    }

    /// # Errors
    /// The peer does not keep to the protocol.
    pub(super) fn verdicts(&self, Verdicts { request, verdicts }: Verdicts) -> Result<(), String> {
        let count = verdicts.len();
        let verdicts = verdicts.into_iter().map(protocol::verdict).collect::<Result<_, _>>()?;
        self.answered(request, Ok(count), Ok(Answered::Verdicts(verdicts)))
    }

    /// # Errors
    /// The peer does not keep to the protocol.
    pub(super) fn answer(&self, Answer { request, taken, failed }: Answer) -> Result<(), String> {
        match failed {
            Some(reason) => self.answered(request, Err(()), Err(LineError::Failed(reason))),
            None => self.answered(request, Ok(taken.len()), Ok(Answered::Known(taken))),
        }
    }

    fn answered(
        &self,
        request: u64,
        count: Result<usize, ()>,
        answer: Result<Answered, LineError>,
    ) -> Result<(), String> {
        let waiting = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.waiting.remove(&request).ok_or("an answer to what was not asked")?
        };
        if count.is_ok_and(|count| count != waiting.count) {
            let text = "an answer of another length than its question";
            let _ = waiting.answer.send(Err(LineError::Lost(text.to_owned())));
            return Err(text.to_owned());
        }
        // whoever has asked may be gone
        let _ = waiting.answer.send(answer);
        Ok(())
    }

    /// Everything that was asked is lost; nothing more can be.
    pub(super) fn close(&self, reason: &str) {
        let waiting = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.lost = Some(reason.to_owned());
            std::mem::take(&mut open.waiting)
        };
        self.room.close();
        for waiting in waiting.into_values() {
            let _ = waiting.answer.send(Err(LineError::Lost(reason.to_owned())));
        }
    }

    fn why_lost(&self) -> String {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.lost.clone().unwrap_or_else(|| "the connection ends".to_owned())
    }
}

enum Asked {
    Sent(Receiver),
    TooLarge,
}

/// Of a part that went out before, nobody knows.
fn unless_sent(error: LineError, asked: &[Asked]) -> LineError {
    match error {
        LineError::Down(reason) if asked.iter().any(|asked| matches!(asked, Asked::Sent(_))) => {
            LineError::Lost(reason)
        }
        error => error,
    }
}

async fn wait(receiver: Receiver) -> Result<Answered, LineError> {
    match timeout(ANSWER, receiver).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(_)) => Err(LineError::Lost("the connection ends".to_owned())),
        Err(_) => Err(LineError::Lost(format!("no answer in {} s", ANSWER.as_secs()))),
    }
}

fn mixed_up() -> LineError {
    LineError::Lost("the peer answers something else than it was asked".to_owned())
}

/// What goes into one frame.
enum Piece {
    Offers(Vec<Offer>),
    /// One message that goes into none.
    TooLarge,
}

fn pieces(offers: Vec<Offer>, most: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut bytes = 0;
    for offer in offers {
        let size = OVERHEAD + offer.submission.text.0.len() + offer.submission.extension.len();
        if size > LARGEST_OFFER {
            pieces.push(Piece::TooLarge);
            continue;
        }
        bytes += size;
        match pieces.last_mut() {
            Some(Piece::Offers(offers)) if bytes <= FRAME_BYTES && offers.len() < most => offers.push(offer),
            Some(_) | None => {
                bytes = size;
                pieces.push(Piece::Offers(vec![offer]));
            }
        }
    }
    pieces
}
