//! A socket that peers connect to.

mod connection;
mod events;
mod greeting;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::protocol::{Down, LARGEST_FRAME, Link, LinkServer, Up};
use crate::{Identity, Intake, Teller};
use connection::Connection;

/// Messages without a verdict on a connection.
const WINDOW: usize = 4096;
/// Frames that wait until a peer reads them.
const FRAMES: usize = 16;
/// A socket whose host is gone is noticed after twice this.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// What is not closed by then is left to its fate.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Serves until `shutdown`; then takes nothing new, waits for verdicts under way, and closes.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    me: Identity,
    intake: Arc<dyn Intake>,
    teller: Option<Arc<dyn Teller>>,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let (stop, stopping) = watch::channel(false);
    let connections = watch::Sender::new(0);
    let mut live = connections.subscribe();
    let shared = Shared { me, intake, teller, stopping: stopping.clone(), connections };
    let server = LinkServer::new(Service(Arc::new(shared))).max_decoding_message_size(LARGEST_FRAME);
    let served = tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .serve_with_incoming_shutdown(server, accept(listener), stopped(stopping));
    let mut served = std::pin::pin!(served);
    tokio::select! {
        result = &mut served => return Ok(result?),
        () = shutdown => {}
    }
    stop.send_replace(true);
    let drained = async {
        // whoever could count them being gone, there is none
        let _ = live.wait_for(|&live| live == 0).await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        result = &mut served => Ok(result?),
        () = drained => Ok(()),
    }
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    // whoever could say so being gone says it too
    let _ = stopping.wait_for(|&stopping| stopping).await;
}

fn accept(listener: TcpListener) -> impl Stream<Item = std::io::Result<TcpStream>> {
    stream::unfold(listener, async |listener| {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "a connection ended at once");
                        continue;
                    }
                    return Some((Ok(stream), listener));
                }
                Err(error) => {
                    // most of all: no file descriptor is free
                    tracing::error!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    })
}

/// What all connections share.
struct Shared {
    me: Identity,
    intake: Arc<dyn Intake>,
    teller: Option<Arc<dyn Teller>>,
    stopping: watch::Receiver<bool>,
    /// How many there are.
    connections: watch::Sender<usize>,
}

/// Counts a connection as long as it lives.
struct Alive(Arc<Shared>);

impl Alive {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.connections.send_modify(|live| *live += 1);
        Self(Arc::clone(shared))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.connections.send_modify(|live| *live -= 1);
    }
}

struct Service(Arc<Shared>);

#[tonic::async_trait]
impl Link for Service {
    type OpenStream = ReceiverStream<Result<Down, Status>>;

    async fn open(&self, request: Request<Streaming<Up>>) -> Result<Response<Self::OpenStream>, Status> {
        let address = request.remote_addr().map_or_else(|| "somewhere".to_owned(), |a| a.to_string());
        let mut frames = request.into_inner();
        let greeted = greeting::greet(&self.0, &mut frames).await;
        let peer = greeted.inspect_err(|status| {
            tracing::warn!(address, reason = status.message(), "a peer is turned away");
        })?;
        let (out, outgoing) = mpsc::channel(FRAMES);
        let connection = Connection::new(Arc::clone(&self.0), peer, address, out);
        tokio::spawn(connection.run(frames));
        Ok(Response::new(ReceiverStream::new(outgoing)))
    }
}
