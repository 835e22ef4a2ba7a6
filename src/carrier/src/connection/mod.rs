//! One connection: a session, its socket, and what is due on it.
//!
//! In turns: what the account orders, what the session tells, answers that are due, reports and MO that wait → the
//! record → the socket → wait for whichever is next.

mod answers;
mod deliveries;
mod login;
mod reports;
mod socket;
mod submits;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use wire::protocol::{Credentials, Login, Moment, Version};
use wire::session::{Event, Limits, Session};

use self::answers::Planned;
use self::socket::Gone;
use crate::account::{Account, Delivery, LinkId, Load, Order};
use crate::behaviour::{Behaviour, DueQueue, Ending};
use crate::protocol::Carrier;
use crate::record::Entry;
use crate::service::Shared;

/// A connection of either direction.
pub struct Connection<P: Carrier> {
    shared: Arc<Shared>,
    session: Session<P>,
    peer: SocketAddr,
    id: LinkId,
    wake: Arc<Notify>,
    member: Option<Member>,
    /// A login that waits for the end of a pause.
    login: Option<Login>,
    /// Submits so far.
    submits: u32,
    /// Answers by their tickets, in the order of their time.
    due: DueQueue<u64>,
    planned: BTreeMap<u64, Planned<P>>,
    next_ticket: u64,
    /// Our requests without an answer.
    flying: BTreeMap<P::Sequence, Delivery>,
    /// To be recorded.
    entries: Vec<Entry>,
    cut: Option<Cut>,
    dialled: bool,
    /// Closed after this long with nothing said and nothing waited for.
    idle: Option<Duration>,
    /// When something was said last.
    active: Instant,
}

/// Whose connection it is.
struct Member {
    account: Arc<Account>,
    behaviour: watch::Receiver<Arc<Behaviour>>,
    submits: bool,
    carries: bool,
    /// The account counts it.
    joined: bool,
}

/// The connection ends here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cut {
    /// So much of the output still goes, in bytes.
    output: usize,
    how: Ending,
}

/// How the socket is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leave {
    Close,
    Reset,
}

/// The last bytes before a connection ends may take this long.
const LAST_BYTES: Duration = Duration::from_secs(1);

impl<P: Carrier> Connection<P> {
    /// The end that a customer connected to.
    pub fn accepted(shared: Arc<Shared>, peer: SocketAddr) -> Self {
        let (limits, now) = (shared.limits::<P>(1, None), shared.clock.moment());
        let (node, numbers) = (shared.config.node, Arc::clone(&shared.numbers));
        let session = Session::server(Version(0x30), node, limits, numbers, now);
        Self::new(shared, session, peer, None, now)
    }

    /// The end that connects to a customer's listener. `credentials` and `limits` are for there.
    pub fn dialled(
        shared: Arc<Shared>,
        peer: SocketAddr,
        account: &Arc<Account>,
        credentials: Credentials,
        limits: Limits,
    ) -> Self {
        let now = shared.clock.moment();
        let session = Session::client(credentials, limits, Arc::clone(&shared.numbers), now);
        let member = Member {
            account: Arc::clone(account),
            behaviour: account.behaviour(),
            submits: false,
            carries: true,
            joined: false,
        };
        Self::new(shared, session, peer, Some(member), now)
    }

    /// Lives until the connection ends.
    pub async fn run(mut self, stream: TcpStream) {
        let end = self.live(&stream).await;
        self.leave();
        let leave = end.unwrap_or_else(|gone| {
            tracing::info!(peer = %self.peer, account = self.account_name(), reason = %gone, "connection lost");
            Leave::Close
        });
        socket::leave(stream, leave);
    }

    /// `member`: of one that we opened.
    fn new(
        shared: Arc<Shared>,
        session: Session<P>,
        peer: SocketAddr,
        member: Option<Member>,
        now: Moment,
    ) -> Self {
        Self {
            dialled: member.is_some(),
            id: shared.next_link(),
            shared,
            session,
            peer,
            wake: Arc::new(Notify::new()),
            member,
            login: None,
            submits: 0,
            due: DueQueue::new(),
            planned: BTreeMap::new(),
            next_ticket: 0,
            flying: BTreeMap::new(),
            entries: Vec::new(),
            cut: None,
            idle: None,
            active: now.instant,
        }
    }

    async fn live(&mut self, stream: &TcpStream) -> Result<Leave, Gone> {
        let mut buffer = vec![0; socket::READ];
        loop {
            let now = self.shared.clock.moment();
            self.obey(now);
            if !self.paused() {
                self.turn(now);
            }
            if !self.entries.is_empty() {
                let entries = std::mem::take(&mut self.entries);
                self.shared.write_record(entries).await.map_err(Gone::Record)?;
            }
            if let Some(Cut { output, how }) = self.cut {
                // its peer may take nothing any more
                let _ = socket::write_all(stream, &self.session.output()[..output], LAST_BYTES).await;
                return Ok(if how == Ending::Reset { Leave::Reset } else { Leave::Close });
            }
            if self.session.is_over() {
                let _ = socket::write_all(stream, self.session.output(), LAST_BYTES).await;
                return Ok(Leave::Close);
            }
            self.write(stream)?;
            self.wait(stream, &mut buffer).await?;
        }
    }

    fn turn(&mut self, now: Moment) {
        if let Some(login) = self.login.take() {
            self.decide(&login, now);
        }
        while self.cut.is_none() && self.login.is_none() {
            match self.session.poll(now) {
                Some(event) => self.happened(event, now),
                None => break,
            }
        }
        self.answer_due(now);
        self.deliver(now);
        if self.idle_end().is_some_and(|end| end <= now.instant) {
            tracing::info!(peer = %self.peer, account = self.account_name(), "idle connection closed");
            self.cut(self.session.output().len(), Ending::Close, now);
        }
    }

    fn obey(&mut self, now: Moment) {
        let load = Load { submits: self.planned.len(), deliveries: self.flying.len() };
        let Some(member) = self.member.as_ref().filter(|member| member.joined) else { return };
        for order in member.account.orders(self.id, load) {
            match order {
                Order::Release(ticket) => self.release(ticket, now),
                Order::End(how) => self.cut(self.session.output().len(), how, now),
            }
        }
    }

    fn happened(&mut self, event: Event<P>, now: Moment) {
        self.active = now.instant;
        match event {
            Event::Login(login) => self.decide(&login, now),
            Event::Up(welcome) => self.up(welcome),
            Event::Request { sequence, pdu } => self.requested(sequence, &pdu, now),
            Event::Answered { sequence, pdu, .. } => self.answered(sequence, &pdu, now),
            Event::Unanswered { sequence } => self.not_answered(sequence, now),
            Event::Repeated { sequence, .. } => self.repeated(sequence),
            Event::Oddity(oddity) => {
                self.odd(&oddity);
            }
            Event::Down(down) => {
                tracing::info!(peer = %self.peer, account = self.account_name(), reason = %down, "session ended");
            }
        }
    }

    /// Ends the connection after so many bytes of the output; the first cut counts.
    fn cut(&mut self, output: usize, how: Ending, now: Moment) {
        match self.ending(how) {
            Ending::Terminate => self.session.terminate(now),
            how @ (Ending::Close | Ending::Reset) if self.cut.is_none() => {
                self.cut = Some(Cut { output, how })
            }
            Ending::Close | Ending::Reset => {}
        }
    }

    /// As this end may do it.
    fn ending(&self, how: Ending) -> Ending {
        let may_terminate = self.dialled || P::SERVER_TERMINATES;
        if how == Ending::Terminate && !may_terminate { Ending::Close } else { how }
    }

    /// When it is to be closed, if nothing is said until then.
    fn idle_end(&self) -> Option<Instant> {
        let idle = self.idle.filter(|_| self.planned.is_empty() && self.flying.is_empty())?;
        self.active.checked_add(idle)
    }

    fn paused(&self) -> bool {
        self.member.as_ref().is_some_and(|member| member.behaviour.borrow().pause)
    }

    fn account_name(&self) -> &str {
        self.member.as_ref().map_or("", |member| &member.account.name)
    }

    /// Gives back what was not acknowledged.
    fn leave(&mut self) {
        if let Some(member) = self.member.as_ref().filter(|member| member.joined) {
            member.account.leave(self.id, std::mem::take(&mut self.flying).into_values());
        }
    }
}
