//! Connect, one request, close.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Tally, Window, connect};
use crate::row::MESSAGE;
use crate::server::ECHO;

/// A failed connection is counted, and the next one follows.
pub async fn run(address: SocketAddr, window: Window, tally: &RefCell<Tally>) -> Result<()> {
    loop {
        let start = Instant::now();
        let result = once(address).await;
        let end = Instant::now();
        match result {
            Ok(()) if window.contains(end) => tally.borrow_mut().done(end - start),
            Ok(()) => {}
            Err(error) => {
                tally.borrow_mut().fail(&error);
                // A connection that is refused at once must not keep the others from running.
                tokio::task::yield_now().await;
            }
        }
    }
}

async fn once(address: SocketAddr) -> Result<()> {
    let mut stream = connect(address).await?;
    let mut message = [b'x'; MESSAGE + 1];
    message[0] = ECHO;
    stream.write_all(&message).await?;
    stream.read_exact(&mut message[1..]).await?;
    Ok(())
}
