//! One connection to one peer, kept up.

mod dial;
mod outgoing;
mod requests;
mod task;

use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::UaopId;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::{Identity, LineSettings, Numbered, Offer, Role, Standing, Verdict};
use outgoing::Control;
use requests::Requests;

/// Events of a gateway, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Whose.
    pub from: Identity,
    pub events: Vec<Numbered>,
}

/// How a connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineState {
    /// And why.
    Down(String),
    Up {
        peer: Identity,
        standing: Standing,
    },
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LineError {
    /// Nothing was sent.
    #[error("not connected: {0}")]
    Down(String),
    /// The connection broke, or the answer did not come: the peer may have taken it.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// The peer cannot do it.
    #[error("{0}")]
    Failed(String),
}

/// Why a connection is down that was never tried.
pub(crate) const NOT_YET: &str = "not connected yet";

/// A handle; all clones are one. The connection ends with the last.
#[derive(Clone, Debug)]
pub struct Line(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    /// Whose end ends the task.
    _alive: watch::Sender<()>,
}

/// Between the handles and the task.
#[derive(Debug)]
struct Shared {
    state: watch::Sender<LineState>,
    connection: Mutex<Option<Arc<Connection>>>,
}

/// What handles use of a connection that is up.
#[derive(Debug)]
struct Connection {
    requests: Requests,
    control: Arc<Control>,
    /// The last event that was handed on.
    handed: AtomicI64,
}

impl Line {
    /// Connects, and again whenever the connection is lost, until the last handle is dropped. `events`: where a gateway's
    /// events go; without it they are not asked for.
    #[must_use]
    pub fn open(
        settings: LineSettings,
        me: Identity,
        expected: Role,
        events: Option<mpsc::Sender<Batch>>,
    ) -> Self {
        let (alive, handles) = watch::channel(());
        let state = watch::Sender::new(LineState::Down(NOT_YET.to_owned()));
        let shared = Arc::new(Shared { state, connection: Mutex::new(None) });
        tokio::spawn(task::run(settings, me, expected, events, Arc::clone(&shared), handles));
        Self(Arc::new(Handle { shared, _alive: alive }))
    }

    #[must_use]
    pub fn state(&self) -> watch::Receiver<LineState> {
        self.0.shared.state.subscribe()
    }

    /// Offers messages; one verdict each, in their order. Waits while the window is full. Whoever stops waiting for the
    /// verdicts does not take the messages back.
    ///
    /// # Errors
    /// See [`LineError`].
    pub async fn submit(&self, offers: Vec<Offer>) -> Result<Vec<Verdict>, LineError> {
        self.connection()?.requests.submit(offers).await
    }

    /// Which of these the peer has taken.
    ///
    /// # Errors
    /// See [`LineError`].
    pub async fn known(&self, ids: Vec<UaopId>) -> Result<Vec<bool>, LineError> {
        self.connection()?.requests.known(ids).await
    }

    /// Everything up to here is in durable hands. Without a connection it is not told; the events come again then.
    pub fn acknowledge(&self, up_to: i64) {
        if let Ok(connection) = self.connection()
            // beyond: it is about events of an earlier connection, which come again
            && up_to <= connection.handed.load(Relaxed)
        {
            connection.control.acknowledge(up_to);
        }
    }

    /// How long an answer takes.
    pub(crate) async fn ping(&self, most: Duration) -> Result<Duration, LineError> {
        let connection = self.connection()?;
        let start = Instant::now();
        match tokio::time::timeout(most, connection.control.ping()).await {
            Ok(()) => Ok(start.elapsed()),
            Err(_) => Err(LineError::Failed(format!("no answer in {} ms", most.as_millis()))),
        }
    }

    fn connection(&self) -> Result<Arc<Connection>, LineError> {
        let shared = &self.0.shared;
        let connection = shared.connection.lock().unwrap_or_else(PoisonError::into_inner).clone();
        connection.ok_or_else(|| LineError::Down(shared.why_down()))
    }
}

impl Shared {
    fn up(&self, connection: &Arc<Connection>, peer: Identity, standing: Standing) {
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(connection));
        self.state.send_replace(LineState::Up { peer, standing });
    }

    fn down(&self, reason: String) {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.state.send_replace(LineState::Down(reason.clone()));
        if let Some(connection) = connection {
            connection.requests.close(&reason);
        }
    }

    fn why_down(&self) -> String {
        match &*self.state.borrow() {
            LineState::Down(reason) => reason.clone(),
            LineState::Up { .. } => "the connection has just ended".to_owned(),
        }
    }
}
