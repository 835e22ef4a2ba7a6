//! The socket of the API: so many connections, so much time for each request.

mod proxy;

use std::io::Cursor;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::api::Peer;
use crate::clock::told;
use crate::config::Http;
use crate::metrics::Families;

/// How long connections may take to end.
const END: Duration = Duration::from_secs(5);
/// After a failure to accept, such as no more open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `closing`; then lets requests under way end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: Http,
    families: Arc<Families>,
    mut closing: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(settings.connections));
    let settings = Arc::new(settings);
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            // beyond the limit they wait in the socket
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            Some((listener.accept().await, place))
        };
        let (accepted, place) = tokio::select! {
            biased;
            () = told(&mut closing) => break,
            _ = connections.join_next(), if !connections.is_empty() => continue,
            Some(accepted) = accepted => accepted,
        };
        let (stream, peer) = match accepted {
            Ok((stream, peer)) => (stream, peer.ip()),
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let (router, settings, closing) = (router.clone(), Arc::clone(&settings), closing.clone());
        let open = families.connections.clone();
        connections.spawn(async move {
            open.inc();
            if let Err(error) = connection(stream, peer, router, &settings, closing).await {
                tracing::debug!(%error, %peer, "a connection has ended");
            }
            open.dec();
            drop(place);
        });
    }
    drop(listener);
    let ends = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(END, ends).await.is_err() {
        tracing::warn!("connections did not end in time; not waiting any longer");
    }
}

async fn connection(
    mut stream: TcpStream,
    peer: IpAddr,
    router: Router,
    settings: &Http,
    mut closing: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let client = proxy::client(&mut stream, peer, &settings.proxy_protocol);
    let (client, early) = tokio::time::timeout(settings.head, client).await??;
    let (reader, writer) = stream.into_split();
    let stream = tokio::io::join(Cursor::new(early).chain(reader), writer);
    let service = Named { router: TowerToHyperService::new(router), peer: Peer(client) };
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(settings.head)
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        () = told(&mut closing) => connection.as_mut().graceful_shutdown(),
    }
    Ok(connection.await?)
}

/// The router, told where requests come from.
struct Named {
    router: TowerToHyperService<Router>,
    peer: Peer,
}

impl Service<Request<Incoming>> for Named {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        self.router.call(request)
    }
}
