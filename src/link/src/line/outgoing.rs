//! What goes out: requests in their order, and before them what is small and must not wait.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{Stream, stream};
use tokio::sync::{Notify, mpsc, watch};

use crate::protocol::{Acknowledge, Ping, Up, up};

/// Acknowledgements and pings. Of each kind only the latest is sent, so that nothing heaps up.
#[derive(Debug)]
pub(super) struct Control {
    waiting: Mutex<Waiting>,
    rung: Notify,
    answered: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Waiting {
    acknowledge: Option<i64>,
    ping: Option<u64>,
    pings: u64,
}

impl Control {
    pub(super) fn new() -> Self {
        Self { waiting: Mutex::default(), rung: Notify::new(), answered: watch::Sender::new(0) }
    }

    /// The last word holds, even if it is smaller.
    pub(super) fn acknowledge(&self, up_to: i64) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).acknowledge = Some(up_to);
        self.rung.notify_one();
    }

    /// Asks; who wants the answer calls [`Control::ping`].
    pub(super) fn ask(&self) -> u64 {
        let number = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.pings += 1;
            waiting.ping = Some(waiting.pings);
            waiting.pings
        };
        self.rung.notify_one();
        number
    }

    /// Until the answer; for ever, if the connection ends before.
    pub(super) async fn ping(&self) {
        let number = self.ask();
        // the sender is ours: it cannot be gone
        let _ = self.answered.subscribe().wait_for(|&answered| answered >= number).await;
    }

    pub(super) fn pong(&self, number: u64) {
        self.answered.send_if_modified(|answered| {
            let grows = number > *answered;
            *answered = number.max(*answered);
            grows
        });
    }

    async fn next(&self) -> Up {
        loop {
            if let Some(frame) = self.take() {
                return frame.into();
            }
            self.rung.notified().await;
        }
    }

    fn take(&self) -> Option<up::Frame> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = waiting.ping.take() {
            return Some(up::Frame::Ping(Ping { number }));
        }
        waiting.acknowledge.take().map(|up_to| up::Frame::Acknowledge(Acknowledge { up_to }))
    }
}

/// `hello`, then what comes, until no more requests can come.
pub(super) fn outgoing(
    hello: Up,
    control: Arc<Control>,
    requests: mpsc::Receiver<Up>,
) -> impl Stream<Item = Up> + Send + 'static {
    stream::unfold((Some(hello), control, requests), async |(mut hello, control, mut requests)| {
        let frame = if let Some(hello) = hello.take() {
            hello
        } else {
            tokio::select! {
                biased;
                frame = control.next() => frame,
                frame = requests.recv() => frame?,
            }
        };
        Some((frame, (None, control, requests)))
    })
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    #[tokio::test]
    async fn only_the_latest_acknowledgement_is_sent_and_before_any_request() {
        let control = Arc::new(Control::new());
        let (sender, requests) = mpsc::channel(4);
        sender.try_send(up::Frame::Question(Default::default()).into()).unwrap();
        for up_to in [3, 9, 7] {
            control.acknowledge(up_to);
        }
        control.ask();
        drop(sender);
        let hello = up::Frame::Hello(Default::default()).into();
        let sent: Vec<Up> = outgoing(hello, control, requests).collect().await;
        let kinds: Vec<_> = sent
            .into_iter()
            .map(|up| match up.frame.unwrap() {
                up::Frame::Hello(_) => "hello".to_owned(),
                up::Frame::Ping(ping) => format!("ping {}", ping.number),
                up::Frame::Acknowledge(acknowledge) => format!("acknowledge {}", acknowledge.up_to),
                up::Frame::Question(_) => "question".to_owned(),
                up::Frame::Offers(_) => "offers".to_owned(),
            })
            .collect();
        assert_eq!(kinds, ["hello", "ping 1", "acknowledge 7", "question"]);
    }
}
