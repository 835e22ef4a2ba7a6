//! The socket of a connection.

use std::io;
use std::time::{Duration, Instant};

use socket2::SockRef;
use thiserror::Error;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::{Connection, Leave};
use crate::protocol::Carrier;
use crate::record::RecordEnded;

/// At most so many bytes are read at once.
pub(super) const READ: usize = 32 * 1024;

/// Why a connection is over without its session's end.
#[derive(Debug, Error)]
pub(super) enum Gone {
    #[error("the peer closed it")]
    Closed,
    #[error("{0}")]
    Socket(#[from] io::Error),
    #[error("{0}")]
    Record(RecordEnded),
}

impl<P: Carrier> Connection<P> {
    /// Writes as much as the socket takes.
    pub(super) fn write(&mut self, stream: &TcpStream) -> Result<(), Gone> {
        while !self.session.output().is_empty() && !self.paused() {
            match stream.try_write(self.session.output()) {
                Ok(written) => self.session.sent(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Waits until there is something to do, and reads what has come.
    pub(super) async fn wait(&mut self, stream: &TcpStream, buffer: &mut [u8]) -> Result<(), Gone> {
        let paused = self.paused();
        let wants_input = self.session.wants_input() && self.login.is_none();
        let interest = match (wants_input, !self.session.output().is_empty()) {
            _ if paused => None,
            (true, true) => Some(Interest::READABLE | Interest::WRITABLE),
            (true, false) => Some(Interest::READABLE),
            (false, true) => Some(Interest::WRITABLE),
            (false, false) => None,
        };
        let deadline =
            [self.session.deadline(), self.due.next(), self.idle_end()].into_iter().flatten().min();
        let behaviour = self.member.as_mut().map(|member| &mut member.behaviour);
        tokio::select! {
            ready = ready(stream, interest) => {
                if ready?.is_readable() && wants_input {
                    self.read(stream, buffer)?;
                }
            }
            () = self.wake.notified() => {}
            () = until(deadline.filter(|_| !paused)) => {}
            () = changed(behaviour) => {}
        }
        if paused {
            // what came meanwhile is still to be read
            self.active = Instant::now();
        }
        Ok(())
    }

    fn read(&mut self, stream: &TcpStream, buffer: &mut [u8]) -> Result<(), Gone> {
        match stream.try_read(buffer) {
            Ok(0) => Err(Gone::Closed),
            Ok(length) => {
                self.session.receive(&buffer[..length]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Writes all of it, unless the peer does not take it in time.
pub(super) async fn write_all(stream: &TcpStream, mut bytes: &[u8], patience: Duration) -> io::Result<()> {
    let write = async {
        while !bytes.is_empty() {
            stream.writable().await?;
            match stream.try_write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    };
    tokio::time::timeout(patience, write).await?
}

/// Closes the socket.
pub(super) fn leave(stream: TcpStream, how: Leave) {
    if how == Leave::Reset {
        // without it, it is closed the other way
        let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    }
    drop(stream);
}

async fn ready(stream: &TcpStream, interest: Option<Interest>) -> io::Result<tokio::io::Ready> {
    match interest {
        Some(interest) => stream.ready(interest).await,
        None => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

async fn changed<T>(behaviour: Option<&mut tokio::sync::watch::Receiver<T>>) {
    let told = match behaviour {
        Some(behaviour) => behaviour.changed().await.is_ok(),
        None => false,
    };
    if !told {
        std::future::pending().await
    }
}
