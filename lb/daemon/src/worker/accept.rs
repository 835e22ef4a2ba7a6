//! Accepts connections.

use std::cell::RefCell;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use nix::libc::{EMFILE, ENFILE, ENOBUFS, ENOMEM};
use socket2::{SockRef, Socket};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::{Worker, session};
use crate::service::Service;
use crate::socket;

/// How long accepting pauses when there is nothing left to accept with.
const PAUSE: Duration = Duration::from_millis(100);

/// A listening socket on one worker. What it accepts is served as its listener says at that moment; a reload may give
/// the socket to another listener.
#[derive(Debug)]
pub struct OpenSocket {
    service: Rc<RefCell<Arc<Service>>>,
    listener: Rc<TcpListener>,
    closing: Rc<Notify>,
}

impl OpenSocket {
    /// # Errors
    /// When the runtime cannot watch the socket.
    pub fn open(worker: &Rc<Worker>, service: Arc<Service>, socket: StdListener) -> io::Result<Self> {
        let opened = Self {
            service: Rc::new(RefCell::new(service)),
            listener: Rc::new(TcpListener::from_std(socket)?),
            closing: Rc::new(Notify::new()),
        };
        let Self { service, listener, closing } = &opened;
        let accepting =
            accept(Rc::clone(worker), Rc::clone(service), Rc::clone(listener), Rc::clone(closing));
        tokio::task::spawn_local(accepting);
        Ok(opened)
    }

    pub fn replace(&self, service: Arc<Service>) {
        let options = SockRef::from(&*self.listener);
        if let Err(error) = socket::apply_listen_options(&options, &service.settings) {
            let listener = &service.settings.name;
            tracing::warn!(%listener, %error, "socket options stay as they were");
        }
        *self.service.borrow_mut() = service;
    }

    /// Accepts no more; what waits in the queue is still taken.
    pub fn close(self) {
        self.closing.notify_one();
    }
}

async fn accept(
    worker: Rc<Worker>,
    service: Rc<RefCell<Arc<Service>>>,
    listener: Rc<TcpListener>,
    closing: Rc<Notify>,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            accepted = listener.accept() => accepted,
            () = closing.notified() => break,
        };
        match accepted {
            Ok((stream, peer)) => begin(&worker, &service, stream, peer),
            Err(error) => pause(&service, &error).await,
        }
    }
    // What the kernel has already accepted would get an RST when the socket closes. The kernel is asked, not the
    // runtime, which knows only what was there at its last look.
    while let Ok((stream, peer)) = SockRef::from(&*listener).accept() {
        if let (Some(stream), Some(peer)) = (watched(stream), peer.as_socket()) {
            begin(&worker, &service, stream, peer);
        }
    }
}

fn watched(accepted: Socket) -> Option<TcpStream> {
    accepted.set_nonblocking(true).ok()?;
    TcpStream::from_std(accepted.into()).ok()
}

fn begin(worker: &Rc<Worker>, service: &RefCell<Arc<Service>>, stream: TcpStream, peer: SocketAddr) {
    let service = Arc::clone(&service.borrow());
    tokio::task::spawn_local(session::run(Rc::clone(worker), service, stream, peer));
}

async fn pause(service: &RefCell<Arc<Service>>, error: &io::Error) {
    let reason = match error.raw_os_error() {
        Some(EMFILE | ENFILE) => "no_file_descriptors",
        Some(ENOBUFS | ENOMEM) => "no_memory",
        // the client gave up before we took it: nothing to wait for
        _ => return tokio::task::yield_now().await,
    };
    let service = Arc::clone(&service.borrow());
    let listener = &service.settings.name;
    service.shared.families.listener_accept_errors.with_label_values(&[listener, reason]).inc();
    tracing::warn!(%listener, %error, reason, "accepting is paused; clients wait in the queue");
    tokio::time::sleep(PAUSE).await;
}
