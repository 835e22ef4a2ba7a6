//! What the connections say.

use domain::event::ReportState;
use domain::{Happened, Party};
use store::spool::Change;
use wire::exchange::{Answer, Incoming, MessageId, Report as CarrierReport};
use wire::protocol::Messages;

use super::Task;
use crate::account::core::Turn;
use crate::account::inbox::{Inbox, Ticket};
use crate::account::lines::Place;
use crate::account::mo::Received;
use crate::clock::Now;
use crate::connection::{ConnectionId, News, PartKey, Report};

impl<P: Messages> Task<P>
where
    Inbox<P>: Send,
{
    pub(super) fn hear(&mut self, Report { connection, news }: Report, now: Now) {
        match news {
            News::Up { login } => {
                self.parts.core.lines.up(connection, login);
                self.parts.facts.link_up(connection, &self.parts.core.lines);
                self.tell(Happened::LinkUp { connection }, now);
            }
            News::Down { reason, unanswered } => {
                let turns = self.turns(connection, unanswered);
                if self.told_connections {
                    self.parts.facts.link_ended(connection);
                } else {
                    self.parts.facts.link_down(connection, &reason, turns.len());
                }
                self.lost(turns, now);
                self.parts.core.lines.down(connection);
                self.parts.facts.links(&self.parts.core.lines);
                self.tell(Happened::LinkDown { connection, reason }, now);
            }
            News::NotUp { reason } => self.parts.facts.link_not_up(connection, &reason),
            // not by `turns`: the login may be over, and the part must go again all the same
            News::NotSent { login, key: PartKey { message, part } } => {
                let turn = Turn { place: Place { connection, login }, key: message, part };
                self.parts.core.withdrawn([turn], now);
            }
            News::Answered { key, answer } => {
                for turn in self.turns(connection, vec![key]) {
                    self.answered(turn, answer, now);
                }
            }
            News::Unanswered { key } => {
                let turns = self.turns(connection, vec![key]);
                self.lost(turns, now);
            }
            News::Incoming { ticket, incoming } => {
                self.tickets.push(Ticket { connection, number: ticket });
                self.incoming(incoming, now);
            }
        }
    }

    fn turns(&self, connection: ConnectionId, keys: Vec<PartKey>) -> Vec<Turn> {
        let Some(place) = self.parts.core.lines.current(connection) else { return Vec::new() };
        keys.into_iter().map(|PartKey { message, part }| Turn { place, key: message, part }).collect()
    }

    fn lost(&mut self, turns: Vec<Turn>, now: Now) {
        if turns.is_empty() {
            return;
        }
        self.parts.facts.lost(turns.len());
        if let Some(alarm) = self.parts.core.lost(turns, now) {
            self.parts.facts.answers(alarm);
        }
    }

    fn answered(&mut self, turn: Turn, answer: Answer, now: Now) {
        let meaning = P::meaning(answer.code);
        self.parts.facts.metrics.answered(answer.code, meaning.disposition);
        let judged = self.parts.core.answered(turn, answer, meaning, now);
        let Some(judged) = judged else { return };
        if judged.slowed {
            self.parts.facts.slowed(answer.code, self.parts.core.pace.rate(now.instant));
        }
        if let Some(alarm) = judged.alarm {
            self.parts.facts.answers(alarm);
        }
    }

    fn incoming(&mut self, incoming: Incoming, now: Now) {
        match incoming {
            Incoming::Report(report) => self.reported(&report, now),
            Incoming::Mo(mo) => match self.parts.mos.receive(&mo, now) {
                Received::Whole { happened, gone } => {
                    self.parts.facts.metrics.mo.whole.inc();
                    self.tell(happened, now);
                    if !gone.is_empty() {
                        self.waiting.push(Change::FragmentsGone(gone));
                    }
                }
                Received::Part(change) => self.waiting.push(change),
                Received::Repeated => self.parts.facts.metrics.mo.repeated.inc(),
            },
            Incoming::UserState { user, condition } => {
                let user = Party::national(&user.to_text());
                self.tell(Happened::UserState { user, condition }, now);
            }
        }
    }

    fn reported(&mut self, report: &CarrierReport, now: Now) {
        let known = self.parts.core.recall(&report.about);
        let delay = known.map(|known| now.instant.saturating_duration_since(known.answered));
        let (uaop_id, part) = (known.map(|known| known.uaop_id.clone()), known.map(|known| known.part));
        self.parts.facts.metrics.reported(report.state, delay);
        let destination = report.destination.to_text();
        let happened = Happened::Reported {
            resp_sequence: report.about.to_string(),
            report_sequence: report.id.as_ref().map(MessageId::to_string),
            uaop_id,
            part,
            to: (!destination.is_empty()).then(|| Party::national(&destination)),
            state: report.state,
            word: report.word.to_string(),
            reason: (report.state != ReportState::Delivered).then(|| P::report_meaning(report).to_string()),
        };
        self.tell(happened, now);
    }
}
