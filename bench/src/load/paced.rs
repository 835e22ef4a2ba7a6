//! Requests at a fixed rate, whether answers come or not (open loop). Latency counts from the moment at which a
//! request was due, so that a stall counts for all that it delays. Each request carries that moment.

use std::cell::RefCell;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use tokio::io::AsyncReadExt;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

use super::{Tally, Window, address};
use crate::row::{KEPT, MESSAGE, RATE};
use crate::server::ECHO;

/// For the last answers.
const GRACE: Duration = Duration::from_secs(1);

pub fn run(to: &[SocketAddr], window: Window) -> Result<Tally> {
    let streams = (0..KEPT).map(|client| open(address(to, client))).collect::<Result<Vec<_>>>()?;
    let start = Instant::now();
    let (sent, mut tally) = thread::scope(|scope| {
        let writer = scope.spawn(|| send(&streams, start, window));
        let tally = receive(&streams, start, window)?;
        let sent = writer.join().map_err(|_| anyhow!("the writer panicked"))??;
        anyhow::Ok((sent, tally))
    })?;
    let missing = sent.saturating_sub(tally.units());
    if missing > 0 {
        tally.fail(&anyhow!("{missing} answers did not come"));
    }
    Ok(tally)
}

fn open(address: SocketAddr) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(&[ECHO])?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// How many were due inside the window.
fn send(streams: &[TcpStream], start: Instant, window: Window) -> Result<u64> {
    // By default the kernel lets a sleeper lie for another 50 µs.
    nix::sys::prctl::set_timerslack(1).context("cannot sharpen the timer")?;
    let mut message = [b'x'; MESSAGE];
    let mut count = 0;
    for (number, mut stream) in (0_u32..).zip(streams.iter().cycle()) {
        let due = start + Duration::from_secs(1) * number / RATE;
        if due >= window.end {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let offset = u64::try_from((due - start).as_nanos())?;
        message[..8].copy_from_slice(&offset.to_le_bytes());
        match stream.write(&message) {
            Ok(MESSAGE) => count += u64::from(window.contains(due)),
            Ok(part) => bail!("only {part} bytes of a request were taken"),
            Err(error) => return Err(error).context("a request was not taken"),
        }
    }
    Ok(count)
}

fn receive(streams: &[TcpStream], start: Instant, window: Window) -> Result<Tally> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    let tally = Rc::new(RefCell::new(Tally::new()));
    for stream in streams {
        let (stream, tally) = (stream.try_clone()?, tally.clone());
        local.spawn_local(async move {
            if let Err(error) = answers(stream, start, window, &tally).await {
                tally.borrow_mut().fail(&error);
            }
        });
    }
    local.block_on(&runtime, async { tokio::time::sleep_until((window.end + GRACE).into()).await });
    drop(local);
    Ok(tally.replace(Tally::new()))
}

async fn answers(stream: TcpStream, start: Instant, window: Window, tally: &RefCell<Tally>) -> Result<()> {
    let mut stream = tokio::net::TcpStream::from_std(stream)?;
    let mut message = [0; MESSAGE];
    loop {
        stream.read_exact(&mut message).await?;
        let now = Instant::now();
        let mut offset = [0; 8];
        offset.copy_from_slice(&message[..8]);
        let due = start + Duration::from_nanos(u64::from_le_bytes(offset));
        ensure!(due <= now, "an answer before its request");
        if window.contains(due) {
            tally.borrow_mut().done(now - due);
        }
    }
}
