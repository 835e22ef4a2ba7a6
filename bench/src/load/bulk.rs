//! As many bytes as go through, in one direction.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Tally, Window, connect};
use crate::server::{CHUNK, DOWNLOAD, UPLOAD};

pub async fn download(address: SocketAddr, window: Window, tally: &RefCell<Tally>) -> Result<()> {
    let mut stream = connect(address).await?;
    stream.write_all(&[DOWNLOAD]).await?;
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = stream.read(&mut chunk).await?;
        ensure!(count > 0, "the end came");
        if window.contains(Instant::now()) {
            tally.borrow_mut().bytes(count);
        }
    }
}

/// Counts what the kernel took: what is then still in buffers is small against what went through.
pub async fn upload(address: SocketAddr, window: Window, tally: &RefCell<Tally>) -> Result<()> {
    let mut stream = connect(address).await?;
    stream.write_all(&[UPLOAD]).await?;
    let chunk = vec![b'x'; CHUNK];
    loop {
        let count = stream.write(&chunk).await?;
        if window.contains(Instant::now()) {
            tally.borrow_mut().bytes(count);
        }
    }
}
