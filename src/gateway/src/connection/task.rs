//! A connection that we make.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::mpsc;
use wire::protocol::Messages;
use wire::session::Session;

use super::backoff::Backoff;
use super::dial::dial;
use super::held::{Held, Outgoing};
use super::link::{Ended, Link, Side};
use super::{Context, News, Order, PartKey};
use crate::config::Login;
use crate::metrics::connection::Attempt;

/// A connection to the carrier, made again and again.
pub struct Connection<P: Messages> {
    context: Context,
    login: Login,
    held: Held<P>,
    backoff: Backoff,
    /// Logins that the account knows of.
    logins: u32,
    /// Sessions so far.
    sessions: u32,
    /// The account has it for up.
    known: bool,
    /// Why it is not up, as it was told last.
    told: Option<String>,
}

/// What comes after a session.
enum Next {
    /// Wait, then connect.
    Pause(Duration),
    /// Wait for something to do, then connect.
    Rest,
    End,
}

impl<P: Messages> Connection<P> {
    /// `login` is that of [`crate::config::Account::logins`] at the position of the connection; `seed` differs from that of
    /// other connections.
    #[must_use]
    pub fn new(context: Context, login: Login, orders: mpsc::Receiver<Order<P>>, seed: u64) -> Self {
        let backoff = Backoff::new(context.account.reconnect, seed);
        Self {
            context,
            login,
            held: Held::new(orders),
            backoff,
            logins: 0,
            sessions: 0,
            known: false,
            told: None,
        }
    }

    /// Works until it is told to stop. Not [`Send`]: it stays on its thread.
    pub async fn run(mut self) {
        loop {
            let next = match self.connect().await {
                None => Next::End,
                Some(Ok(stream)) => {
                    let ended = self.session(stream).await;
                    self.after(ended).await
                }
                Some(Err(error)) => {
                    self.not_up(format!("cannot connect: {error}"), Attempt::Failed).await;
                    Next::Pause(self.backoff.pause(Duration::ZERO))
                }
            };
            let go_on = match next {
                Next::Pause(pause) => self.attend(tokio::time::sleep(pause)).await.is_some(),
                Next::Rest => self.rest().await,
                Next::End => false,
            };
            if !go_on {
                return self.end().await;
            }
        }
    }

    /// `None` if it is to stop.
    async fn connect(&mut self) -> Option<std::io::Result<TcpStream>> {
        let account = Arc::clone(&self.context.account);
        self.attend(dial(&account.server, account.source, account.timers.connect)).await
    }

    async fn session(&mut self, stream: TcpStream) -> Ended {
        let context = &self.context;
        let now = context.clock.now().moment();
        let session = Session::<P>::client(
            self.login.credentials.clone(),
            context.account.limits(),
            Arc::clone(&context.numbers),
            now,
        );
        self.sessions = self.sessions.wrapping_add(1);
        let login = if self.known { self.logins } else { self.logins.wrapping_add(1) };
        let side = Side::Client { login, known: self.known };
        let ended = Link::new(context, &mut self.held, session, side, self.sessions).run(stream).await;
        if ended.up.is_some() {
            (self.logins, self.known, self.told) = (login, true, None);
        }
        ended
    }

    async fn after(&mut self, ended: Ended) -> Next {
        let stopped = self.held.stop.is_some();
        let reason = ended.why.reason::<P>();
        let Some(up) = ended.up else {
            if stopped {
                return Next::End;
            }
            let attempt = ended.why.attempt();
            self.not_up(reason, attempt).await;
            return Next::Pause(match attempt {
                Attempt::Refused => self.backoff.refused(),
                Attempt::Failed | Attempt::Up => self.backoff.pause(Duration::ZERO),
            });
        };
        self.context.metrics.ends(ended.why.label(stopped)).inc();
        if !stopped && ended.quiet && ended.why.is_idle::<P>() {
            let (account, connection) = (&self.context.account.name, self.context.connection);
            tracing::debug!(%account, connection, reason, "nothing to do: not connected until there is");
            // what came while it ended goes out with the next session
            return if self.held.submits.is_empty() { Next::Rest } else { Next::Pause(Duration::ZERO) };
        }
        self.down(reason, ended.unanswered).await;
        if stopped { Next::End } else { Next::Pause(self.backoff.pause(up)) }
    }

    /// Waits for something to send. `false` if it is to stop.
    async fn rest(&mut self) -> bool {
        while self.held.submits.is_empty() && self.held.stop.is_none() {
            self.held.more().await;
            self.held.answers.clear();
        }
        self.held.stop.is_none()
    }

    /// Waits for `future`, and gives back meanwhile what cannot be sent. `None` if it is to stop.
    async fn attend<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(future);
        loop {
            if self.held.stop.is_some() {
                return None;
            }
            if !self.known {
                self.refuse().await;
            }
            tokio::select! {
                output = &mut future => return Some(output),
                () = self.held.more() => {}
            }
        }
    }

    /// It cannot be used: the account is told if it thought it could, and else if the reason is a new one.
    async fn not_up(&mut self, reason: String, attempt: Attempt) {
        self.context.metrics.attempts(attempt).inc();
        if self.known {
            return self.down(reason, Vec::new()).await;
        }
        if self.told.as_ref() != Some(&reason) {
            self.told = Some(reason.clone());
            self.context.tell(News::NotUp { reason }).await;
        }
    }

    async fn down(&mut self, reason: String, unanswered: Vec<PartKey>) {
        self.context.metrics.up.set(0);
        self.known = false;
        self.refuse().await;
        self.context.tell(News::Down { reason, unanswered }).await;
    }

    /// Gives back what was to be sent, and forgets answers to a session that is over.
    async fn refuse(&mut self) {
        self.held.answers.clear();
        while let Some(Outgoing { login, key, .. }) = self.held.submits.pop_front() {
            self.context.tell(News::NotSent { login, key }).await;
        }
    }

    async fn end(mut self) {
        if self.known {
            self.down("stopped".to_owned(), Vec::new()).await;
        }
        self.held.close();
        self.refuse().await;
    }
}
