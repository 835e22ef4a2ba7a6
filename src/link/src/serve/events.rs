//! Events to one consumer: in order, and only so many that are not acknowledged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tonic::Status;

use crate::protocol::{
    Down, Event, Events, FRAME_BYTES, FRAME_COUNT, UNACKNOWLEDGED, UNACKNOWLEDGED_BYTES, down,
};
use crate::{Numbered, Teller};

/// After the teller failed.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Clone)]
pub(super) struct Consumer {
    pub teller: Arc<dyn Teller>,
    pub name: String,
    pub acknowledged: watch::Receiver<i64>,
}

/// Tells until the connection ends. `sent`: up to where.
pub(super) async fn tell(
    Consumer { teller, name, mut acknowledged }: Consumer,
    sent: Arc<AtomicI64>,
    out: mpsc::Sender<Result<Down, Status>>,
) {
    let mut open = Unacknowledged::default();
    loop {
        let after = sent.load(Relaxed);
        let events = match teller.events(&name, after, FRAME_COUNT).await {
            Ok(events) if !events.is_empty() => events,
            Ok(_) => {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Err(error) => {
                tracing::error!(consumer = name, error, "events cannot be read");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        for batch in batches(events) {
            open.forget(*acknowledged.borrow_and_update());
            while open.is_full() {
                if acknowledged.changed().await.is_err() {
                    return;
                }
                open.forget(*acknowledged.borrow_and_update());
            }
            open.add(&batch);
            if let Some(last) = batch.last() {
                sent.store(last.id, Relaxed);
            }
            let events = batch.into_iter().map(Event::from).collect();
            if out.send(Ok(down::Frame::Events(Events { events }).into())).await.is_err() {
                return;
            }
        }
    }
}

/// Passes on the latest acknowledgement, until the connection ends.
pub(super) async fn acknowledge(Consumer { teller, name, mut acknowledged }: Consumer) {
    while acknowledged.changed().await.is_ok() {
        let up_to = *acknowledged.borrow_and_update();
        if let Err(error) = teller.acknowledge(&name, up_to).await {
            // the next one says it too; until then the events are kept
            tracing::warn!(consumer = name, up_to, error, "an acknowledgement is not noted");
        }
    }
}

/// Frames of a bounded size.
fn batches(events: Vec<Numbered>) -> Vec<Vec<Numbered>> {
    let mut batches: Vec<Vec<Numbered>> = Vec::new();
    let mut bytes = 0;
    for event in events {
        bytes += event.event.len();
        match batches.last_mut() {
            Some(batch) if bytes <= FRAME_BYTES && batch.len() < FRAME_COUNT => batch.push(event),
            Some(_) | None => {
                bytes = event.event.len();
                batches.push(vec![event]);
            }
        }
    }
    batches
}

/// What was sent and is not acknowledged.
#[derive(Debug, Default)]
struct Unacknowledged {
    batches: VecDeque<Sent>,
    count: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Sent {
    last: i64,
    count: usize,
    bytes: usize,
}

impl Unacknowledged {
    fn is_full(&self) -> bool {
        self.count >= UNACKNOWLEDGED || self.bytes >= UNACKNOWLEDGED_BYTES
    }

    fn add(&mut self, batch: &[Numbered]) {
        let Some(last) = batch.last().map(|event| event.id) else { return };
        let (count, bytes) = (batch.len(), batch.iter().map(|event| event.event.len()).sum());
        self.count += count;
        self.bytes += bytes;
        self.batches.push_back(Sent { last, count, bytes });
    }

    /// A batch counts until all of it is acknowledged.
    fn forget(&mut self, up_to: i64) {
        while let Some(sent) = self.batches.pop_front_if(|sent| sent.last <= up_to) {
            self.count -= sent.count;
            self.bytes -= sent.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: i64, bytes: usize) -> Numbered {
        Numbered { id, event: vec![b' '; bytes] }
    }

    #[test]
    fn a_frame_is_bounded_in_bytes_and_in_events_and_a_large_event_has_its_own() {
        let sizes = |bytes: &[usize]| {
            let events = bytes.iter().zip(1..).map(|(&bytes, id)| event(id, bytes)).collect();
            batches(events).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[10, FRAME_BYTES, 10, FRAME_BYTES - 10, 1]), [1, 1, 2, 1]);
        assert_eq!(sizes(&[1; 600]), [256, 256, 88]);
        assert!(sizes(&[]).is_empty());
    }

    #[test]
    fn what_is_acknowledged_makes_room() {
        let mut open = Unacknowledged::default();
        for id in 1..=4 {
            assert!(!open.is_full());
            open.add(&[event(id, UNACKNOWLEDGED_BYTES / 4)]);
        }
        assert!(open.is_full());
        open.forget(0);
        assert!(open.is_full());
        open.forget(1);
        assert!(!open.is_full());
        open.forget(4);
        assert_eq!((open.count, open.bytes), (0, 0));
    }
}
