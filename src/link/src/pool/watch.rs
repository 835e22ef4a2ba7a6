//! Tells the pool how its lines are.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep_until;

use super::Shared;
use crate::line::NOT_YET;
use crate::{LineError, LineState};

enum Word {
    Ready,
    Not(String),
}

/// Asks a server while it is ready; a line that breaks, and a server that takes nothing, are told at once.
pub(super) async fn watch(shared: Arc<Shared>, server: usize, timeout: Duration) {
    let Some(line) = shared.lines.get(server).cloned() else { return };
    let mut state = line.state();
    // before it was tried there is nothing to tell
    if *state.borrow() != LineState::Down(NOT_YET.to_owned()) {
        state.mark_changed();
    }
    loop {
        if state.changed().await.is_err() {
            return;
        }
        // until it is no longer ready
        loop {
            let word = match &*state.borrow_and_update() {
                LineState::Up { standing, .. } if standing.ready => Word::Ready,
                LineState::Up { standing, .. } => Word::Not(standing.reason.clone()),
                LineState::Down(reason) => Word::Not(reason.clone()),
            };
            if let Word::Not(reason) = word {
                shared.change(|core, now| core.broken(server, &reason, now));
                break;
            }
            tokio::select! {
                changed = state.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    continue;
                }
                answer = line.ping(timeout) => shared.change(|core, now| match answer {
                    Ok(took) => core.passed(server, took, now),
                    Err(LineError::Failed(reason)) => core.failed(server, &reason, now),
                    Err(LineError::Down(reason) | LineError::Lost(reason)) => core.broken(server, &reason, now),
                }),
            }
            let next = shared.core().next_check(server);
            tokio::select! {
                changed = state.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
                () = at(next) => {}
            }
        }
    }
}

/// Does what the pool has to do at certain times.
pub(super) async fn keep_time(shared: Arc<Shared>) {
    loop {
        let deadline = shared.core().deadline();
        tokio::select! {
            () = shared.attention.notified() => {}
            () = at(deadline) => shared.change(super::core::Core::tick),
        }
    }
}

async fn at(deadline: Option<std::time::Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
