//! One session and its socket.
//!
//! Each turn: what the session has to tell → orders → one write → wait for bytes, orders or a deadline.

mod events;
mod why;

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};
use wire::protocol::{Messages, Moment, Version};
use wire::session::{Down, Session};

pub(super) use self::why::Why;
use super::held::{Held, Outgoing};
use super::odd::Oddities;
use super::{Context, News, PartKey};
use crate::config::Listen;

/// Bytes read at once.
const READ: usize = 64 * 1024;
/// How long the last bytes may take, and the answer to our logout.
const FAREWELL: Duration = Duration::from_secs(2);

/// Whose session it is.
#[derive(Clone, Copy)]
pub(super) enum Side<'a> {
    /// Ours, whose login counts as the `login`th. `known`: the account has it for up already.
    Client { login: u32, known: bool },
    /// The carrier's.
    Server(&'a Listen),
}

/// A session at work.
pub(super) struct Link<'a, P: Messages> {
    context: &'a Context,
    held: &'a mut Held<P>,
    session: Session<P>,
    side: Side<'a>,
    version: Version,
    /// The first half of tickets, so that no two sessions of a connection share one.
    number: u32,
    tickets: u32,
    sent: BTreeMap<P::Sequence, PartKey>,
    /// By their tickets.
    asked: BTreeMap<u64, (P::Sequence, P::Pdu)>,
    oddities: Oddities,
    up: Option<Instant>,
    /// We have logged out, and wait no longer than this.
    leaving: Option<Instant>,
}

/// What is left of a session.
pub(super) struct Ended {
    pub(super) why: Why,
    pub(super) unanswered: Vec<PartKey>,
    /// How long it was up; `None` if it never was.
    pub(super) up: Option<Duration>,
    /// Nothing was under way in either direction.
    pub(super) quiet: bool,
}

impl<'a, P: Messages> Link<'a, P> {
    /// `number`: of the session, among those of its connection.
    pub(super) fn new(
        context: &'a Context,
        held: &'a mut Held<P>,
        session: Session<P>,
        side: Side<'a>,
        number: u32,
    ) -> Self {
        Self {
            version: context.account.protocol.version(),
            context,
            held,
            session,
            side,
            number,
            tickets: 0,
            sent: BTreeMap::new(),
            asked: BTreeMap::new(),
            oddities: Oddities::default(),
            up: None,
            leaving: None,
        }
    }

    /// Works until the session is over, and closes the connection.
    pub(super) async fn run(mut self, mut stream: TcpStream) -> Ended {
        let why = self.work(&stream).await;
        if let Why::Session(_) = why {
            let farewell = async {
                stream.write_all(self.session.output()).await?;
                stream.shutdown().await
            };
            // a peer that is gone does not miss it
            let _ = timeout(FAREWELL, farewell).await;
        }
        let unanswered: Vec<PartKey> =
            self.session.unanswered().filter_map(|sequence| self.sent.get(&sequence).copied()).collect();
        self.context.metrics.window_used.set(0);
        Ended {
            why,
            quiet: unanswered.is_empty() && self.asked.is_empty(),
            unanswered,
            up: self.up.map(|up| up.elapsed()),
        }
    }

    async fn work(&mut self, stream: &TcpStream) -> Why {
        let mut buffer = vec![0; READ];
        let mut armed = Instant::now();
        let sleep = sleep_until(armed.into());
        tokio::pin!(sleep);
        loop {
            let now = self.context.clock.now().moment();
            if let Some(down) = self.settle(now).await {
                return Why::Session(down);
            }
            if self.leaving.is_some_and(|by| now.instant >= by) {
                return Why::Session(Down::Terminated);
            }
            if let Err(error) = self.work_off(stream, now).await {
                return self.last_words(stream, &mut buffer, now).await.unwrap_or(Why::Error(error));
            }
            let deadline = self.deadline();
            if let Some(deadline) = deadline.filter(|deadline| *deadline != armed) {
                armed = deadline;
                sleep.as_mut().reset(deadline.into());
            }
            let interest = self.interest();
            let ready = async {
                match interest {
                    Some(interest) => stream.ready(interest).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ready = ready => match ready.and_then(|ready| self.read(stream, ready.is_readable(), &mut buffer)) {
                    Ok(true) => {}
                    Ok(false) => return Why::Closed,
                    Err(error) => return Why::Error(error),
                },
                () = self.held.more() => {}
                () = sleep.as_mut(), if deadline.is_some() => {}
            }
        }
    }

    /// A peer that closed may have answered before: what it has said counts, though nothing more can be said to it.
    async fn last_words(&mut self, stream: &TcpStream, buffer: &mut [u8], now: Moment) -> Option<Why> {
        while let Ok(count @ 1..) = stream.try_read(buffer) {
            self.session.receive(&buffer[..count]);
            if let Some(down) = self.settle(now).await {
                return Some(Why::Session(down));
            }
        }
        None
    }

    /// Carries out what is ordered and can be, and writes what there is to write.
    async fn work_off(&mut self, stream: &TcpStream, now: Moment) -> io::Result<()> {
        self.answer();
        self.stop(now).await;
        loop {
            self.submit(now).await;
            self.context.metrics.window_used.set(i64::try_from(self.sent.len()).unwrap_or(i64::MAX));
            self.write(stream)?;
            let more = !self.held.submits.is_empty() && self.session.free() > 0;
            if !more || self.session.has_backlog() {
                return Ok(());
            }
        }
    }

    /// As much as the kernel takes.
    fn write(&mut self, stream: &TcpStream) -> io::Result<()> {
        while !self.session.output().is_empty() {
            match stream.try_write(self.session.output()) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.session.sent(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// `false` at the end of the stream.
    fn read(&mut self, stream: &TcpStream, readable: bool, buffer: &mut [u8]) -> io::Result<bool> {
        if !readable {
            return Ok(true);
        }
        match stream.try_read(buffer) {
            Ok(0) => Ok(false),
            Ok(count) => {
                self.session.receive(&buffer[..count]);
                Ok(true)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    fn interest(&self) -> Option<Interest> {
        let read = self.session.wants_input().then_some(Interest::READABLE);
        let write = (!self.session.output().is_empty()).then_some(Interest::WRITABLE);
        match (read, write) {
            (Some(read), Some(write)) => Some(read.add(write)),
            (one, other) => one.or(other),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let stop = self.leaving.or(self.held.stop);
        [self.session.deadline(), stop].into_iter().flatten().min()
    }

    /// Logs out as soon as nothing is open, or the patience is over.
    async fn stop(&mut self, now: Moment) {
        let Some(by) = self.held.stop else { return };
        self.refuse().await;
        let settled = self.session.unanswered().next().is_none() && self.asked.is_empty();
        if self.leaving.is_none() && (settled || now.instant >= by || !self.session.is_up()) {
            self.session.terminate(now);
            self.leaving = Some(now.instant + FAREWELL);
        }
    }

    /// Gives back what was to be sent.
    async fn refuse(&mut self) {
        while let Some(Outgoing { login, key, .. }) = self.held.submits.pop_front() {
            self.context.tell(News::NotSent { login, key }).await;
        }
    }
}
