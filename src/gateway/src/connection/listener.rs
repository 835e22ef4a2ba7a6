//! Connections that an SGIP carrier makes to us, to bring reports and users' messages.
//!
//! All of them are one connection to the account: the first half of a ticket says which session it is of.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use wire::protocol::Messages;
use wire::session::Session;

use super::held::Held;
use super::link::{Link, Side};
use super::{Context, News, Order, dial, orders};
use crate::config::{INBOUND, Listen};
use crate::metrics::connection::Attempt;

/// Sessions of one carrier at a time.
const MOST_SESSIONS: usize = 64;

/// Listens.
///
/// # Errors
/// What the operating system says, and where.
pub async fn bind(listen: &Listen) -> io::Result<TcpListener> {
    TcpListener::bind(listen.address).await.map_err(|error| {
        io::Error::new(error.kind(), format!("cannot listen on {}: {error}", listen.address))
    })
}

/// The channel of orders to a listener. It holds the answers to all that its sessions may bring.
#[must_use]
pub fn listener_orders<P: Messages>() -> (mpsc::Sender<Order<P>>, mpsc::Receiver<Order<P>>) {
    // and the stop
    mpsc::channel(MOST_SESSIONS * usize::from(INBOUND) + 1)
}

/// Takes the carrier's connections.
pub struct Listener<P: Messages> {
    context: Context,
    listen: Listen,
    orders: mpsc::Receiver<Order<P>>,
    sessions: JoinSet<u32>,
    /// The orders of each session.
    by_number: BTreeMap<u32, mpsc::Sender<Order<P>>>,
    last: u32,
}

impl<P: Messages> Listener<P> {
    #[must_use]
    pub fn new(context: Context, listen: Listen, orders: mpsc::Receiver<Order<P>>) -> Self {
        Self { context, listen, orders, sessions: JoinSet::new(), by_number: BTreeMap::new(), last: 0 }
    }

    /// Works until it is told to stop, and until the sessions have ended. Needs a [`tokio::task::LocalSet`] around it.
    pub async fn run(mut self, socket: TcpListener) {
        self.context.tell(News::Up { login: 1 }).await;
        loop {
            tokio::select! {
                accepted = socket.accept() => match accepted {
                    Ok((stream, peer)) => self.accepted(stream, peer),
                    Err(error) => {
                        tracing::warn!(account = %self.context.account.name, %error, "cannot accept");
                        // no file or memory left: it passes, or it does not
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(ended) = self.sessions.join_next() => self.ended(ended.ok()),
                order = self.orders.recv() => match order {
                    Some(order @ Order::DeliverAnswer { .. }) => self.pass(order),
                    Some(Order::Submit { login, key, .. }) => self.context.tell(News::NotSent { login, key }).await,
                    stop @ (Some(Order::Stop { .. }) | None) => break self.stop(stop),
                },
            }
        }
        drop(socket);
        self.finish().await;
    }

    /// Tells the sessions; they end by themselves if the account is gone.
    fn stop(&mut self, stop: Option<Order<P>>) {
        match stop {
            Some(Order::Stop { patience }) => {
                for session in self.by_number.values() {
                    // one that is full or gone ends when its channel does
                    let _ = session.try_send(Order::Stop { patience });
                }
            }
            Some(_) | None => self.by_number.clear(),
        }
    }

    /// Answers still go their way while the sessions end.
    async fn finish(mut self) {
        let mut open = true;
        while !self.sessions.is_empty() {
            tokio::select! {
                Some(ended) = self.sessions.join_next() => self.ended(ended.ok()),
                order = self.orders.recv(), if open => match order {
                    Some(order @ Order::DeliverAnswer { .. }) => self.pass(order),
                    Some(Order::Submit { login, key, .. }) => self.context.tell(News::NotSent { login, key }).await,
                    Some(Order::Stop { .. }) => {}
                    None => (open, self.by_number) = (false, BTreeMap::new()),
                },
            }
        }
        self.context.tell(News::Down { reason: "stopped".to_owned(), unanswered: Vec::new() }).await;
    }

    fn accepted(&mut self, stream: TcpStream, peer: SocketAddr) {
        let account = &self.context.account.name;
        if !self.listen.carriers.iter().any(|network| network.contains(&canonical(peer.ip()))) {
            self.context.metrics.attempts(Attempt::Refused).inc();
            tracing::warn!(%account, %peer, "a connection from an address that is not in `carriers`: closed");
            return;
        }
        if self.by_number.len() >= MOST_SESSIONS {
            self.context.metrics.attempts(Attempt::Refused).inc();
            tracing::warn!(%account, %peer, "the carrier has {MOST_SESSIONS} sessions already: closed");
            return;
        }
        if let Err(error) = dial::tune(&stream) {
            self.context.metrics.attempts(Attempt::Failed).inc();
            tracing::warn!(%account, %peer, %error, "a connection broke at once");
            return;
        }
        self.last = self.last.wrapping_add(1);
        let (sender, receiver) = orders(self.context.account.window);
        self.by_number.insert(self.last, sender);
        let (context, listen, number) = (self.context.clone(), self.listen.clone(), self.last);
        self.sessions.spawn_local(session::<P>(context, listen, number, receiver, stream, peer));
    }

    fn pass(&self, order: Order<P>) {
        let Order::DeliverAnswer { ticket, .. } = order else { return };
        let number = u32::try_from(ticket >> 32).unwrap_or_default();
        if let Some(session) = self.by_number.get(&number) {
            // a session that is full or gone leaves the request unanswered: the carrier repeats it
            let _ = session.try_send(order);
        }
    }

    fn ended(&mut self, number: Option<u32>) {
        if let Some(number) = number {
            self.by_number.remove(&number);
        }
    }
}

/// One session of the carrier, to its end.
async fn session<P: Messages>(
    context: Context,
    listen: Listen,
    number: u32,
    orders: mpsc::Receiver<Order<P>>,
    stream: TcpStream,
    peer: SocketAddr,
) -> u32 {
    let account = &context.account;
    let session = Session::<P>::server(
        account.protocol.version(),
        account.profile.node,
        account.limits(),
        Arc::clone(&context.numbers),
        context.clock.now().moment(),
    );
    let mut held = Held::new(orders);
    let ended = Link::new(&context, &mut held, session, Side::Server(&listen), number).run(stream).await;
    let reason = ended.why.reason::<P>();
    let name = &account.name;
    if ended.up.is_some() {
        context.metrics.up.dec();
        context.metrics.ends(ended.why.label(held.stop.is_some())).inc();
        tracing::info!(account = %name, session = number, %peer, "the carrier's session is over: {reason}");
    } else {
        context.metrics.attempts(ended.why.attempt()).inc();
        tracing::warn!(account = %name, session = number, %peer, "the carrier did not log in: {reason}");
    }
    number
}

/// An IPv4 peer of a socket for both kinds, as IPv4.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}
