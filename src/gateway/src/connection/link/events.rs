//! What events and orders do.

use std::fmt::Display;
use std::time::Instant;

use wire::error::DecodeError;
use wire::protocol::{Cannot, Login, Messages, Moment, Refusal, Welcome};
use wire::session::{Down, Event};

use super::{Link, Side};
use crate::config::Listen;
use crate::connection::News;
use crate::connection::held::Outgoing;
use crate::connection::odd;
use crate::metrics::connection::{Attempt, Odd};

/// SGIP: the carrier logs in to bring something.
const FROM_CARRIER: u8 = 2;

impl<P: Messages> Link<'_, P> {
    /// Everything that the session has to tell; how it ended, if it has.
    pub(super) async fn settle(&mut self, now: Moment) -> Option<Down> {
        while let Some(event) = self.session.poll(now) {
            match event {
                Event::Login(login) => self.admit(login, now),
                Event::Up(welcome) => self.came_up(welcome, now.instant).await,
                Event::Answered { sequence, pdu, took, tries } => {
                    let Some(key) = self.sent.remove(&sequence) else { continue };
                    self.context.metrics.answer_seconds.observe(took.as_secs_f64());
                    let news = match P::read_answer(sequence, &pdu) {
                        // the first try has come, and its answer is lost
                        Some(answer) if tries > 1 && P::is_repeat(answer.code) => News::Unanswered { key },
                        Some(answer) => News::Answered { key, answer },
                        None => {
                            let what = format!("something else than a submit's answer to {sequence}");
                            self.odd(Odd::WrongAnswer, &what, now.instant);
                            News::Unanswered { key }
                        }
                    };
                    self.context.tell(news).await;
                }
                Event::Unanswered { sequence } => {
                    let Some(key) = self.sent.remove(&sequence) else { continue };
                    self.context.tell(News::Unanswered { key }).await;
                }
                Event::Repeated { sequence, tries } => {
                    self.context.metrics.repeats.inc();
                    let (account, connection) = (&self.context.account.name, self.context.connection);
                    tracing::debug!(%account, connection, %sequence, tries, "no answer in time: sent again");
                }
                Event::Request { sequence, pdu } => self.requested(sequence, pdu, now.instant).await,
                Event::Oddity(oddity) => self.odd(odd::kind(&oddity), &oddity, now.instant),
                Event::Down(down) => return Some(down),
            }
        }
        None
    }

    /// Answers what the account has decided about. Tickets of an earlier session are nobody's.
    pub(super) fn answer(&mut self) {
        while let Some((ticket, code)) = self.held.answers.pop_front() {
            if let Some((sequence, request)) = self.asked.remove(&ticket) {
                self.session.respond(sequence, &P::deliver_answer(&request, code));
            }
        }
    }

    /// Sends what waits, as far as the window and the backlog of the socket allow.
    pub(super) async fn submit(&mut self, now: Moment) {
        while !self.held.submits.is_empty() {
            if self.up.is_some() && !self.session.is_up() {
                // it is ending: they go out with the next session, or back
                return;
            }
            if self.is_expected_up() && (self.session.free() == 0 || self.session.has_backlog()) {
                return;
            }
            let Some(Outgoing { login, key, sequence, submit }) = self.held.submits.pop_front() else {
                return;
            };
            let is_sent = self.side.takes(login) && {
                let pdu = P::submit(&submit, &self.context.account.profile);
                self.session.request(sequence, pdu, now).is_ok()
            };
            if is_sent {
                self.sent.insert(sequence, key);
                self.context.metrics.submits.inc();
            } else {
                self.context.tell(News::NotSent { login, key }).await;
            }
        }
    }

    /// Whether what waits can still be sent: it is up, or will be without the account noticing.
    fn is_expected_up(&self) -> bool {
        self.session.is_up() || self.up.is_none() && matches!(self.side, Side::Client { known: true, .. })
    }

    async fn came_up(&mut self, welcome: Welcome, now: Instant) {
        self.up = Some(now);
        self.context.metrics.attempts(Attempt::Up).inc();
        let (account, connection) = (&self.context.account.name, self.context.connection);
        match self.side {
            Side::Client { login, known } => {
                if !welcome.authentic {
                    tracing::warn!(%account, connection, "logged in, but the carrier's proof of itself is wrong");
                }
                self.context.metrics.up.set(1);
                if !known {
                    self.context.tell(News::Up { login }).await;
                }
            }
            Side::Server(_) => {
                tracing::info!(%account, session = self.number, "the carrier has logged in");
                self.context.metrics.up.inc();
            }
        }
    }

    /// The carrier wants to log in.
    fn admit(&mut self, login: Login, now: Moment) {
        let decided = match self.side {
            Side::Server(listen) => check(login, listen).and_then(|()| {
                self.session.accept(&listen.password, self.version, self.context.account.limits(), now)
            }),
            Side::Client { .. } => Err(Refusal::Mode),
        };
        if let Err(refusal) = decided {
            self.session.refuse(refusal, now);
        }
    }

    async fn requested(&mut self, sequence: P::Sequence, pdu: P::Pdu, now: Instant) {
        match P::read_deliver(sequence, &pdu) {
            Some(Ok(incoming)) => {
                self.tickets = self.tickets.wrapping_add(1);
                let ticket = u64::from(self.number) << 32 | u64::from(self.tickets);
                self.asked.insert(ticket, (sequence, pdu));
                self.context.tell(News::Incoming { ticket, incoming }).await;
            }
            Some(Err(error)) => self.unreadable(sequence, &pdu, error, now),
            None => {
                let command = self.command(sequence, &pdu);
                if let Some(answer) = P::cannot(command, &[], Cannot::Serve) {
                    self.session.respond(sequence, &answer);
                }
                self.odd(Odd::NotServed, &format!("{command:#010x} is not served here"), now);
            }
        }
    }

    /// A report that says nothing: the carrier is told so, with its protocol's code for that.
    fn unreadable(&mut self, sequence: P::Sequence, pdu: &P::Pdu, error: DecodeError, now: Instant) {
        let command = self.command(sequence, pdu);
        let code = P::cannot(command, &[], Cannot::Read).and_then(|answer| P::read_deliver_answer(&answer));
        self.session.respond(sequence, &P::deliver_answer(pdu, code.unwrap_or(1)));
        self.odd(Odd::UnreadableReport, &format!("the report {sequence} cannot be read: {error}"), now);
    }

    fn command(&self, sequence: P::Sequence, pdu: &P::Pdu) -> u32 {
        let mut frame = Vec::new();
        P::encode(self.version, sequence, pdu, &mut frame);
        P::header(&frame).1
    }

    fn odd(&mut self, kind: Odd, what: &dyn Display, now: Instant) {
        self.oddities.note(self.context, kind, what, now);
    }
}

impl Side<'_> {
    /// Whether an order for this login is one for this session.
    fn takes(self, order: u32) -> bool {
        match self {
            Side::Client { login, .. } => login == order,
            Side::Server(_) => false,
        }
    }
}

fn check(login: Login, listen: &Listen) -> Result<(), Refusal> {
    if login.mode != FROM_CARRIER {
        Err(Refusal::Mode)
    } else if login.id != listen.name {
        Err(Refusal::Authentication)
    } else {
        Ok(())
    }
}
