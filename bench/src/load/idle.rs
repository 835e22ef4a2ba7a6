//! Connections that have said something once and then stay idle, until standard input ends.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::{BEGIN, address, connect, say};
use crate::row::{IDLE, MESSAGE};
use crate::server::ECHO;

const OPENING: Duration = Duration::from_secs(60);

pub fn run(to: &[SocketAddr]) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let connections = runtime.block_on(async { timeout(OPENING, open_all(to)).await });
    let _connections = connections.context("the connections do not open")??;
    say(BEGIN)?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

async fn open_all(to: &[SocketAddr]) -> Result<Vec<TcpStream>> {
    let mut connections = Vec::new();
    for client in 0..IDLE {
        let mut stream = connect(address(to, client)).await?;
        let mut message = [b'x'; MESSAGE + 1];
        message[0] = ECHO;
        stream.write_all(&message).await?;
        stream.read_exact(&mut message[1..]).await?;
        connections.push(stream);
    }
    Ok(connections)
}
