//! Accepts connections.

use std::cell::RefCell;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use nix::libc::{EMFILE, ENFILE, ENOBUFS, ENOMEM};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::{Worker, session};
use crate::service::Service;
use crate::socket;

/// How long accepting pauses when there is nothing left to accept with.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a listener that closes still takes connections: a handshake over a long way.
pub const LAST_CALL: Duration = Duration::from_millis(100);

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

    /// Begins no more handshakes, and closes after [`LAST_CALL`].
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
            () = closing.notified() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => begin(&worker, &service, stream, peer),
            Err(error) => pause(&service, &error).await,
        }
    }
    last_call(&worker, &service, &listener).await;
}

/// What waits in the queue, and what is half way through its handshake, would get an RST when the socket closes.
async fn last_call(worker: &Rc<Worker>, service: &RefCell<Arc<Service>>, listener: &TcpListener) {
    if let Err(error) = socket::admit_no_handshake(&SockRef::from(listener)) {
        let listener = &service.borrow().settings.name;
        tracing::debug!(%listener, %error, "a client may be cut off while the listener closes");
    }
    let rest = async {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => begin(worker, service, stream, peer),
                Err(error) => pause(service, &error).await,
            }
        }
    };
    let result: Result<std::convert::Infallible, _> = tokio::time::timeout(LAST_CALL, rest).await;
    debug_assert!(result.is_err(), "only the time limit ends it");
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
