//! Accepts connections.

use std::cell::RefCell;
use std::collections::BTreeMap;
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

/// One listener's sockets on one worker.
#[derive(Debug)]
pub struct Acceptor {
    service: Rc<RefCell<Arc<Service>>>,
    sockets: BTreeMap<SocketAddr, OpenSocket>,
}

#[derive(Debug)]
struct OpenSocket {
    listener: Rc<TcpListener>,
    closing: Rc<Notify>,
}

impl Acceptor {
    pub fn new(service: Arc<Service>) -> Self {
        Self { service: Rc::new(RefCell::new(service)), sockets: BTreeMap::new() }
    }

    pub fn open(&mut self, worker: &Rc<Worker>, sockets: Vec<StdListener>) {
        for socket in sockets {
            let opened =
                socket.local_addr().and_then(|address| Ok((address, TcpListener::from_std(socket)?)));
            let (address, listener) = match opened {
                Ok((address, listener)) => (address, Rc::new(listener)),
                Err(error) => {
                    let listener = &self.service.borrow().settings.name;
                    tracing::error!(%listener, %error, "a listening socket cannot be used");
                    continue;
                }
            };
            let closing = Rc::new(Notify::new());
            let accepting = accept(
                Rc::clone(worker),
                Rc::clone(&self.service),
                Rc::clone(&listener),
                Rc::clone(&closing),
            );
            tokio::task::spawn_local(accepting);
            self.sockets.insert(address, OpenSocket { listener, closing });
        }
    }

    pub fn replace(&mut self, service: Arc<Service>) {
        for (address, socket) in &self.sockets {
            let options = SockRef::from(&*socket.listener);
            if let Err(error) = socket::apply_listen_options(&options, &service.settings) {
                tracing::warn!(%address, %error, "socket options stay as they were");
            }
        }
        *self.service.borrow_mut() = service;
    }

    /// Returns whether no address is left.
    pub fn close(&mut self, addresses: &[SocketAddr]) -> bool {
        for address in addresses {
            if let Some(socket) = self.sockets.remove(address) {
                socket.closing.notify_one();
            }
        }
        self.sockets.is_empty()
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
    // what the kernel has already accepted would get an RST when the socket closes
    while let Some(Ok((stream, peer))) = now_or_never(listener.accept()) {
        begin(&worker, &service, stream, peer);
    }
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

fn now_or_never<F: Future>(future: F) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}
