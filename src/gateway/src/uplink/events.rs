//! `GET /events`: telling, and being told up to where it was understood.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::id::MAX_LENGTH;
use serde::Deserialize;
use store::spool::{Spool, SpoolError};
use tokio::sync::oneshot;

use super::consumers::{Changed, TooMany};
use super::lines::Numbered;
use super::{LONGEST_WAIT, Uplink, ndjson};

/// Events in one answer, unless asked otherwise, and at most.
const EVENTS: usize = 1000;
const MOST_EVENTS: usize = 10_000;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// Whoever gives no name only looks: nothing is acknowledged.
    pub(super) consumer: Option<String>,
    #[serde(default)]
    pub(super) after: i64,
    pub(super) most: Option<usize>,
    /// Seconds.
    #[serde(default)]
    pub(super) wait: f64,
}

/// Why nothing is told.
enum Untold {
    Name,
    /// There never was such an event.
    Beyond {
        after: i64,
        last: i64,
    },
    TooMany(TooMany),
    /// The consumer is not durable.
    NotJoined(String),
    Failed(String),
}

pub(super) async fn events(State(uplink): State<Arc<Uplink>>, Query(wanted): Query<Wanted>) -> Response {
    let told = tell(&uplink, &wanted).await;
    if let Some(consumer) = &wanted.consumer {
        uplink.consumers.lock().unwrap_or_else(PoisonError::into_inner).seen(consumer, Instant::now());
    }
    match told {
        Ok(events) => ndjson(events.into_iter()),
        Err(untold) => untold.into_response(),
    }
}

async fn tell(uplink: &Uplink, wanted: &Wanted) -> Result<Vec<Numbered>, Untold> {
    let after = wanted.after.max(0);
    if wanted.consumer.as_ref().is_some_and(|name| name.is_empty() || name.len() > MAX_LENGTH) {
        return Err(Untold::Name);
    }
    let last = read(uplink, Spool::last_event).await?;
    if after > last {
        return Err(Untold::Beyond { after, last });
    }
    if let Some(consumer) = &wanted.consumer {
        acknowledge(uplink, consumer, after).await?;
    }
    let most = wanted.most.unwrap_or(EVENTS).min(MOST_EVENTS);
    let wait = Duration::try_from_secs_f64(wanted.wait).unwrap_or_default().min(LONGEST_WAIT);
    let end = tokio::time::Instant::now() + wait;
    let mut stopping = uplink.stopping.clone();
    loop {
        let mut rung = std::pin::pin!(uplink.events.notified());
        // from now on, not from the first poll on: an event between the reading and the waiting must not be missed
        rung.as_mut().enable();
        let events = read(uplink, move |spool| spool.events(after, most)).await?;
        if !events.is_empty() {
            return Ok(events.into_iter().map(|(id, event)| Numbered { id, event }).collect());
        }
        tokio::select! {
            () = rung => {}
            () = tokio::time::sleep_until(end) => return Ok(Vec::new()),
            // whoever could say so being gone says it too
            _ = stopping.wait_for(|&stopping| stopping) => return Ok(Vec::new()),
        }
    }
}

/// Acknowledges for a consumer; what all have is deleted. A new one is waited for until it is durable: from then on nothing
/// is deleted that it lacks.
async fn acknowledge(uplink: &Uplink, consumer: &str, after: i64) -> Result<(), Untold> {
    let (changed, written) = {
        let mut consumers = uplink.consumers.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = consumers.acknowledge(consumer, after, Instant::now()).map_err(Untold::TooMany)?;
        if changed == Changed::Nothing && !uplink.unwritten.swap(false, Relaxed) {
            return Ok(());
        }
        let (sender, written) = oneshot::channel();
        let unwritten = Arc::clone(&uplink.unwritten);
        let done = move |result: Result<(), SpoolError>| {
            // all of them are written again with the next question
            unwritten.fetch_or(result.is_err(), Relaxed);
            // most do not wait for it
            let _ = sender.send(result);
        };
        // with the lock held: the spool has the lists in the order of the changes
        let handed = uplink.engine.spool.acknowledge(consumers.all(), done);
        (changed, handed.map(|()| written))
    };
    if changed != Changed::Joined {
        return Ok(());
    }
    let failed = match written {
        Ok(written) => match written.await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the gateway stops".to_owned(),
        },
        Err(refused) => refused.to_string(),
    };
    uplink.consumers.lock().unwrap_or_else(PoisonError::into_inner).forget(consumer);
    Err(Untold::NotJoined(failed))
}

/// Reads the disk, on a thread that may wait for it.
async fn read<T: Send + 'static>(
    uplink: &Uplink,
    read: impl FnOnce(&Spool) -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, Untold> {
    let spool = uplink.engine.spool.clone();
    match tokio::task::spawn_blocking(move || read(&spool)).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) => Err(Untold::Failed(error.to_string())),
        Err(error) => Err(Untold::Failed(error.to_string())),
    }
}

impl IntoResponse for Untold {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Name => (
                StatusCode::BAD_REQUEST,
                format!("`consumer` has 1 to {MAX_LENGTH} bytes; leave it out to look only"),
            ),
            Self::Beyond { after, last } => (
                StatusCode::CONFLICT,
                format!(
                    "there is no event {after}: the last is {last}, so this spool is a new one; start again from after=0"
                ),
            ),
            Self::TooMany(error) => (StatusCode::TOO_MANY_REQUESTS, error.to_string()),
            Self::NotJoined(error) => (StatusCode::SERVICE_UNAVAILABLE, error),
            Self::Failed(error) => (StatusCode::INTERNAL_SERVER_ERROR, error),
        };
        (status, text + "\n").into_response()
    }
}
