//! The load: a process of its own. It writes `begin` and `end` around what it measures, so that the director can
//! read the proxy's CPU time at both, and then one line of JSON.

mod bulk;
mod connections;
mod idle;
mod paced;
mod requests;
mod tally;

use std::cell::RefCell;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use clap::Args;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

pub use self::tally::Measured;
use self::tally::Tally;
use crate::row::{self, Row};

/// The line before the measured time; in the memory row: all connections are open.
pub const BEGIN: &str = "begin";
/// The line after the measured time.
pub const END: &str = "end";

/// `bench load`.
#[derive(Args, Debug)]
pub struct Load {
    row: Row,
    #[arg(long)]
    threads: u32,
    /// Milliseconds before the measured time, in which connections are opened and caches filled.
    #[arg(long)]
    warm_up: u64,
    /// Milliseconds.
    #[arg(long)]
    measure: u64,
    to: Vec<SocketAddr>,
}

/// The measured time.
#[derive(Clone, Copy, Debug)]
struct Window {
    begin: Instant,
    end: Instant,
}

impl Window {
    fn contains(&self, at: Instant) -> bool {
        self.begin <= at && at < self.end
    }
}

impl Load {
    pub fn run(self) -> Result<()> {
        ensure!(!self.to.is_empty() && self.threads > 0, "no address or no thread");
        if self.row == Row::Memory {
            return idle::run(&self.to);
        }
        let begin = Instant::now() + Duration::from_millis(self.warm_up);
        let window = Window { begin, end: begin + Duration::from_millis(self.measure) };
        let tally = thread::scope(|scope| {
            let load = &self;
            let threads: Vec<_> = match load.row {
                Row::FixedRate => vec![scope.spawn(move || paced::run(&load.to, window))],
                _ => (0..load.threads).map(|n| scope.spawn(move || load.thread(n, window))).collect(),
            };
            announce(window)?;
            let mut sum = Tally::new();
            for thread in threads {
                sum.add(&thread.join().map_err(|_| anyhow!("a client panicked"))??)?;
            }
            anyhow::Ok(sum)
        })?;
        say(&serde_json::to_string(&tally.measured(window.end - window.begin))?)
    }

    /// Every `threads`-th client, until the end of the window; what is then under way is dropped.
    fn thread(&self, number: u32, window: Window) -> Result<Tally> {
        let clients = match self.row {
            Row::Requests | Row::FixedRate => row::KEPT,
            Row::Connections => row::CONNECTING,
            Row::Download | Row::Upload => row::BULK,
            Row::Memory => row::IDLE,
        };
        let tally = Rc::new(RefCell::new(Tally::new()));
        let local = LocalSet::new();
        for client in (0..clients).filter(|client| client % self.threads == number) {
            local.spawn_local(self.client(client, window, tally.clone()));
        }
        let runtime = Builder::new_current_thread().enable_all().build()?;
        local.block_on(&runtime, async { tokio::time::sleep_until(window.end.into()).await });
        drop(local);
        Ok(tally.replace(Tally::new()))
    }

    fn client(
        &self,
        number: u32,
        window: Window,
        tally: Rc<RefCell<Tally>>,
    ) -> impl Future<Output = ()> + 'static {
        let (row, address) = (self.row, address(&self.to, number));
        async move {
            let result = match row {
                Row::Requests | Row::FixedRate => requests::run(address, window, &tally).await,
                Row::Connections => connections::run(address, window, &tally).await,
                Row::Download => bulk::download(address, window, &tally).await,
                Row::Upload => bulk::upload(address, window, &tally).await,
                Row::Memory => Ok(()),
            };
            if let Err(error) = result {
                tally.borrow_mut().fail(&error);
            }
        }
    }
}

fn address(to: &[SocketAddr], client: u32) -> SocketAddr {
    to.iter().copied().cycle().nth(client as usize).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
}

async fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn announce(window: Window) -> Result<()> {
    thread::sleep(window.begin.saturating_duration_since(Instant::now()));
    say(BEGIN)?;
    thread::sleep(window.end.saturating_duration_since(Instant::now()));
    say(END)
}

fn say(line: &str) -> Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
