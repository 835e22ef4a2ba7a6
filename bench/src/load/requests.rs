//! Ping-pong over a kept connection, as fast as it goes.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Tally, Window, connect};
use crate::row::MESSAGE;
use crate::server::ECHO;

pub async fn run(address: SocketAddr, window: Window, tally: &RefCell<Tally>) -> Result<()> {
    let mut stream = connect(address).await?;
    stream.write_all(&[ECHO]).await?;
    let mut message = [b'x'; MESSAGE];
    loop {
        let start = Instant::now();
        stream.write_all(&message).await?;
        stream.read_exact(&mut message).await?;
        let end = Instant::now();
        if window.contains(end) {
            tally.borrow_mut().done(end - start);
        }
    }
}
