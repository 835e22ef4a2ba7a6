//! Orders that have come and are not carried out yet.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use wire::exchange::Submit;
use wire::protocol::Protocol;

use super::{Order, PartKey};

/// A part to send.
pub(super) struct Outgoing<P: Protocol> {
    pub(super) login: u32,
    pub(super) key: PartKey,
    pub(super) sequence: P::Sequence,
    pub(super) submit: Submit,
}

/// The orders of an account, in their order.
pub(super) struct Held<P: Protocol> {
    channel: mpsc::Receiver<Order<P>>,
    pub(super) submits: VecDeque<Outgoing<P>>,
    /// Ticket and code.
    pub(super) answers: VecDeque<(u64, u32)>,
    /// Until when to wait for answers before the end.
    pub(super) stop: Option<Instant>,
    /// The account is gone.
    closed: bool,
}

impl<P: Protocol> Held<P> {
    pub(super) fn new(channel: mpsc::Receiver<Order<P>>) -> Self {
        Self { channel, submits: VecDeque::new(), answers: VecDeque::new(), stop: None, closed: false }
    }

    /// Waits for orders and takes all that are there; for ever once the account is gone. Nothing is lost if it is not
    /// awaited to its end.
    pub(super) async fn more(&mut self) {
        if self.closed {
            std::future::pending::<()>().await;
        }
        match self.channel.recv().await {
            Some(order) => self.take(order),
            None => {
                // nobody is left who would answer, or hear of answers
                let now = Instant::now();
                (self.closed, self.stop) = (true, Some(self.stop.map_or(now, |stop| stop.min(now))));
            }
        }
        while let Ok(order) = self.channel.try_recv() {
            self.take(order);
        }
    }

    /// Takes the last orders; from now on none can be given.
    pub(super) fn close(&mut self) {
        self.channel.close();
        while let Ok(order) = self.channel.try_recv() {
            self.take(order);
        }
    }

    fn take(&mut self, order: Order<P>) {
        match order {
            Order::Submit { login, key, sequence, submit } => {
                self.submits.push_back(Outgoing { login, key, sequence, submit });
            }
            Order::DeliverAnswer { ticket, code } => self.answers.push_back((ticket, code)),
            Order::Stop { patience } => {
                self.stop.get_or_insert_with(|| in_time(Instant::now(), patience));
            }
        }
    }
}

/// A patience too long for the clock is a day.
fn in_time(now: Instant, patience: Duration) -> Instant {
    now.checked_add(patience).unwrap_or(now + Duration::from_secs(86_400))
}

#[cfg(test)]
mod tests {
    use wire::cmpp::Cmpp;

    use super::*;

    #[tokio::test]
    async fn orders_are_sorted_and_a_lost_account_is_a_stop_at_once() {
        let (sender, receiver) = super::super::orders::<Cmpp>(2);
        let mut held = Held::new(receiver);
        sender.try_send(Order::DeliverAnswer { ticket: 7, code: 0 }).unwrap();
        sender.try_send(Order::DeliverAnswer { ticket: 8, code: 1 }).unwrap();
        held.more().await;
        assert_eq!(Vec::from(held.answers.clone()), [(7, 0), (8, 1)]);
        assert_eq!(held.stop, None);
        sender.try_send(Order::Stop { patience: Duration::from_secs(3600) }).unwrap();
        held.more().await;
        assert!(held.stop.unwrap() > Instant::now());
        drop(sender);
        held.more().await;
        assert!(held.stop.unwrap() <= Instant::now());
    }
}
