//! Virtual addresses on this host: what the machines of [`lb_core::vrrp`] want, carried out.
//!
//! | module | does |
//! |---|---|
//! | `thread` | the loop: reads everything, then serves the timers |
//! | `configure`, `setup` | a new configuration; what follows from it for machines and packets |
//! | `router`, `member` | a virtual router; one family of it, with its machine and its place on the network |
//! | `carry` | actions, carried out |
//! | `virtual_mac` | the addresses apart from the interface's own, with the protocol's MAC address |
//! | `links`, [`netlink`] | where the interfaces are and what addresses they have |
//! | `receive`, [`adverts`], [`outgoing`] | advertisements |
//! | [`frames`], [`packet_socket`] | gratuitous ARP and neighbour advertisements, and those of others |
//! | `keeper`, [`guard`] | the process that lets go when this one cannot |
//! | [`news`], `words` | what the control side is told |

mod adverts;
mod carry;
mod configure;
mod frames;
pub mod guard;
mod keeper;
mod links;
mod member;
#[cfg(test)]
mod namespace;
mod netlink;
mod news;
mod outgoing;
mod packet_socket;
mod realtime;
mod receive;
mod router;
mod setup;
mod thread;
mod virtual_mac;
mod words;

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::time::Instant;

use lb_core::config::VirtualRouter;
use lb_core::vrrp::Facts;
use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::beats::Beats;
use crate::metrics::Metrics;
use guard::Guard;
use keeper::Keeper;
use netlink::{Monitor, Writer};
use thread::Driver;

#[cfg(test)]
pub use news::TakeOver;
pub use news::{ActivePeer, Kind, News, RouterStatus, State, What};

/// What the control side wants.
#[derive(Debug)]
pub enum Command {
    /// These virtual routers and no others.
    Configure(Vec<VirtualRouter>),
    /// What is known of pools, commands and files.
    Facts(Facts),
    /// The operator wants the addresses elsewhere.
    Release(String),
    /// The operator wants the addresses here.
    Take(String),
    /// Let go of everything; the answer comes when that is done.
    Stop(oneshot::Sender<()>),
}

/// The control side's end of the thread; the thread ends when it is dropped.
#[derive(Debug)]
pub struct Handle {
    commands: Sender<Command>,
    wake: Arc<EventFd>,
}

impl Handle {
    /// Never blocks.
    pub fn tell(&self, command: Command) {
        // the thread ends only with the process
        let _ = self.commands.send(command);
        let _ = self.wake.write(1);
    }
}

/// Starts the thread and the guard. What happens goes to `news`.
///
/// # Errors
/// Something that the kernel does not grant this process.
pub fn start(metrics: Arc<Metrics>, beats: Arc<Beats>, news: UnboundedSender<News>) -> io::Result<Handle> {
    let monitor = Monitor::open()?;
    let writer = Writer::open()?;
    writer.check_permission()?;
    adverts::check_permission()?;
    let guard = Keeper::new(Guard::start()?, Instant::now());
    let (commands, received) = mpsc::channel();
    let wake = Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?);
    let woken = Arc::clone(&wake);
    std::thread::Builder::new().name("vrrp".to_owned()).spawn(move || {
        // a daemon without this thread would keep addresses for ever; without the daemon, the guard lets go
        let _abort = AbortOnPanic;
        let granted = realtime::enter();
        tracing::info!(
            realtime = granted.scheduled,
            memory_locked = granted.locked,
            "virtual routers have a thread"
        );
        let only_one = only_one();
        let mut driver = Driver::new(monitor, writer, guard, metrics, beats, news);
        if only_one.is_ok() {
            driver.remove_leftovers();
        }
        driver.run(&received, &woken);
    })?;
    Ok(Handle { commands, wake })
}

/// Taken by the first daemon with virtual routers in this network namespace, for as long as it lives: the addresses of
/// another that lives are no left-overs.
fn only_one() -> io::Result<UnixListener> {
    UnixListener::bind_addr(&SocketAddr::from_abstract_name("lb-virtual-routers")?)
}

struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}
