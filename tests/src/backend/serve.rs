//! The thread of a backend.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use anyhow::Result;
use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Behaviour, Counts, Order, REMEMBERED, SOURCE_SEED, Seen};
use crate::place::Place;
use crate::verify::Pattern;

const BACKLOG: i32 = 4096;
const FIRST: usize = 256;

/// Moves the calling thread to `place` and listens there.
pub fn listen(place: &Place, address: SocketAddr) -> Result<(Runtime, TcpListener)> {
    place.enter()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let guard = runtime.enter();
    let listener = TcpListener::from_std(socket.into())?;
    drop(guard);
    Ok((runtime, listener))
}

/// Serves until it is told to end and all connections have.
pub async fn run(
    listener: TcpListener,
    behaviour: Behaviour,
    counts: Arc<Counts>,
    mut orders: watch::Receiver<Order>,
) {
    let mut connections = JoinSet::new();
    loop {
        let order = *orders.borrow_and_update();
        match order {
            Order::Serve => {}
            Order::Hang => {
                // All connections share this thread: none is in the middle of something now.
                counts.hanging.store(true, Ordering::Release);
                let _ = orders.changed().await;
                counts.hanging.store(false, Ordering::Release);
                continue;
            }
            Order::Stop | Order::Kill => break,
        }
        tokio::select! {
            biased;
            _ = orders.changed() => {}
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                if let Ok((stream, peer)) = accepted {
                    let connection = Connection::new(stream, peer, counts.clone());
                    connections.spawn(connection.run(behaviour.clone(), orders.clone()));
                }
            }
        }
    }
    drop(listener);
    counts.listening.store(false, Ordering::Release);
    while connections.join_next().await.is_some() {}
}

struct Connection {
    stream: TcpStream,
    counts: Arc<Counts>,
    /// Its place among those remembered, while its first bytes are wanted.
    remembered: Option<usize>,
}

impl Connection {
    fn new(stream: TcpStream, peer: SocketAddr, counts: Arc<Counts>) -> Self {
        counts.accepted.fetch_add(1, Ordering::Relaxed);
        counts.live.fetch_add(1, Ordering::Relaxed);
        let mut seen = counts.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let remembered = (seen.len() < REMEMBERED).then_some(seen.len());
        if remembered.is_some() {
            seen.push(Seen { peer, first: Vec::new() });
        }
        drop(seen);
        Self { stream, counts, remembered }
    }

    async fn run(self, behaviour: Behaviour, mut orders: watch::Receiver<Order>) {
        let mut work = pin!(self.behave(&behaviour));
        loop {
            let order = *orders.borrow_and_update();
            let changed = match order {
                Order::Kill => Err(()),
                Order::Hang => orders.changed().await.map_err(|_| ()),
                Order::Serve | Order::Stop => tokio::select! {
                    biased;
                    changed = orders.changed() => changed.map_err(|_| ()),
                    _ = &mut work => return,
                },
            };
            if changed.is_err() {
                // A failure means that the connection is reset already.
                let _ = self.stream.set_zero_linger();
                return;
            }
        }
    }

    async fn behave(&self, behaviour: &Behaviour) -> io::Result<()> {
        match behaviour {
            Behaviour::Echo => self.echo().await,
            Behaviour::Name(name) => {
                self.write_all(format!("{name}\n").as_bytes()).await?;
                self.echo().await
            }
            Behaviour::Silent => std::future::pending().await,
            Behaviour::Sink => {
                let mut buffer = vec![0; 64 * 1024];
                while self.read(&mut buffer).await? > 0 {}
                Ok(())
            }
            Behaviour::Source => {
                let mut pattern = Pattern::new(SOURCE_SEED);
                let mut buffer = vec![0; 64 * 1024];
                loop {
                    pattern.fill(&mut buffer);
                    self.write_all(&buffer).await?;
                }
            }
            Behaviour::Reset => self.stream.set_zero_linger(),
        }
    }

    async fn echo(&self) -> io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let count = self.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            self.write_all(buffer.get(..count).unwrap_or_default()).await?;
        }
    }

    /// Zero at the end of the client's half.
    async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = loop {
            self.stream.readable().await?;
            match self.stream.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => break result?,
            }
        };
        self.counts.received.fetch_add(count as u64, Ordering::Relaxed);
        self.remember(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn remember(&self, bytes: &[u8]) {
        let Some(index) = self.remembered else { return };
        let mut seen = self.counts.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Seen { first, .. }) = seen.get_mut(index) else { return };
        let room = FIRST - first.len();
        first.extend(bytes.iter().take(room));
    }

    async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.stream.writable().await?;
            match self.stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => bytes = bytes.get(result?..).unwrap_or_default(),
            }
        }
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.counts.live.fetch_sub(1, Ordering::Relaxed);
    }
}
