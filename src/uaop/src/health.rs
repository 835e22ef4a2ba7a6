//! Whether the bus can be relied on now.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

/// What is wrong with the bus, by who noticed: the one who asks it at intervals, or a publisher. A handle; all clones are
/// one.
#[derive(Clone, Debug)]
pub struct Health(Arc<watch::Sender<Failing>>);

type Failing = BTreeMap<&'static str, String>;

impl Health {
    /// Nothing is wrong.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Failing::new())))
    }

    /// `who` has seen it work, or fail.
    pub fn seen(&self, who: &'static str, result: Result<(), String>) {
        self.0.send_if_modified(|failing| match result {
            Ok(()) => failing.remove(who).is_some(),
            Err(reason) => failing.insert(who, reason.clone()).as_ref() != Some(&reason),
        });
    }

    /// Why it cannot be relied on.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        fault(&self.0.borrow())
    }

    /// Returns when it can be relied on.
    pub async fn good(&self) {
        // the sender lives as long as this handle
        let _ = self.0.subscribe().wait_for(Failing::is_empty).await;
    }

    /// Returns at the next change.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes(self.0.subscribe())
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

/// See [`Health::changes`].
#[derive(Debug)]
pub struct Changes(watch::Receiver<Failing>);

impl Changes {
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn fault(failing: &Failing) -> Option<String> {
    failing.first_key_value().map(|(who, reason)| format!("{reason} ({who})"))
}
