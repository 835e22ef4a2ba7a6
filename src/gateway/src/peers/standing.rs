//! Whether UAOPs should hand messages in here.

use std::time::Duration;

use link::Standing;
use store::spool::Spool;

use super::Peers;
use crate::account::level::Board;

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(200);

impl Peers {
    /// Keeps the standing up to date, for ever.
    pub(super) async fn watch(&self) {
        let mut stopping = self.stopping.clone();
        loop {
            let stops = *stopping.borrow_and_update();
            let standing = of(&self.boards, &self.engine.spool, stops);
            self.engine.families.link_ready.set(i64::from(standing.ready));
            self.standing.send_if_modified(|known| {
                let changed = *known != standing;
                *known = standing;
                changed
            });
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                Ok(()) = stopping.changed() => {}
            }
        }
    }
}

/// Ready while at least one account can submit: the others' messages wait for theirs.
pub(super) fn of(boards: &[Board], spool: &Spool, stopping: bool) -> Standing {
    let not = |reason: &str| Standing { ready: false, reason: reason.to_owned() };
    if stopping {
        not("the gateway stops")
    } else if !spool.works() {
        not("the spool cannot be written")
    } else if !boards.iter().any(|board| board.read().ready) {
        not("no account has a connection to its carrier")
    } else {
        Standing { ready: true, reason: String::new() }
    }
}
