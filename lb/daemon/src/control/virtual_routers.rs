//! What the control side knows of the virtual routers, and how it passes on what an operator wants of them. The
//! thread that runs them is behind [`VirtualRouters::connect`] and [`VirtualRouters::observe`].

#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use super::{Control, OperateError};
use crate::vrrp::{Kind, RouterStatus};

/// What an operator wants of a virtual router, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The addresses are to go to another host.
    Release(String),
    /// The addresses are to come here.
    Take(String),
}

/// The last known state of each, and a way to ask for changes.
#[derive(Default)]
pub struct VirtualRouters {
    /// With the moment at which each status was true.
    known: Mutex<BTreeMap<String, (Instant, RouterStatus)>>,
    obey: OnceLock<Box<dyn Fn(Wish) + Send + Sync>>,
}

impl VirtualRouters {
    /// Who carries out wishes; only the first call counts.
    pub fn connect(&self, obey: impl Fn(Wish) + Send + Sync + 'static) {
        // there is one thread of virtual routers in the life of a daemon
        let _ = self.obey.set(Box::new(obey));
    }

    /// A virtual router as it was at that moment.
    pub fn observe(&self, at: Instant, status: RouterStatus) {
        self.known().insert(status.name.clone(), (at, status));
    }

    /// A reload took it out of the file.
    pub fn forget(&self, name: &str) {
        self.known().remove(name);
    }

    /// All of them now, by name.
    pub fn all(&self) -> Vec<RouterStatus> {
        self.known().values().map(aged).collect()
    }

    fn get(&self, name: &str) -> Result<RouterStatus, OperateError> {
        let known = self.known();
        known.get(name).map(aged).ok_or_else(|| {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            OperateError::VirtualRouter(name.to_owned(), names.join(", "))
        })
    }

    fn ask(&self, wish: Wish) {
        if let Some(obey) = self.obey.get() {
            obey(wish);
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, (Instant, RouterStatus)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for VirtualRouters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualRouters").field("known", &self.known).finish_non_exhaustive()
    }
}

impl Control {
    /// Every virtual router now.
    pub fn virtual_routers(&self) -> Vec<RouterStatus> {
        self.virtual_routers.all()
    }

    /// # Errors
    /// There is no such virtual router.
    pub fn virtual_router(&self, name: &str) -> Result<RouterStatus, OperateError> {
        self.virtual_routers.get(name)
    }

    /// Asks for the addresses to go to another host; returns the number of the entry about it in the timeline, after
    /// which the outcome is found.
    ///
    /// # Errors
    /// There is no such virtual router.
    pub fn release(&self, name: &str) -> Result<u64, OperateError> {
        self.wish(name, "release", Wish::Release)
    }

    /// Asks for the addresses to come here; returns as [`Control::release`].
    ///
    /// # Errors
    /// There is no such virtual router.
    pub fn take(&self, name: &str) -> Result<u64, OperateError> {
        self.wish(name, "take", Wish::Take)
    }

    fn wish(&self, name: &str, word: &str, wish: fn(String) -> Wish) -> Result<u64, OperateError> {
        self.virtual_routers.get(name)?;
        tracing::info!(router = name, wish = word, "virtual router: an operator's wish");
        let text = format!("{word}, by an operator");
        let sequence = self.timeline.record(Instant::now(), Kind::Command, name, text);
        self.virtual_routers.ask(wish(name.to_owned()));
        Ok(sequence)
    }
}

/// A status with its times as they are now.
fn aged((at, status): &(Instant, RouterStatus)) -> RouterStatus {
    let age = at.elapsed().as_secs_f64();
    let mut status = status.clone();
    status.state_seconds += age;
    if let Some(peer) = &mut status.active_peer {
        peer.heard_seconds += age;
    }
    if let Some(take_over) = &mut status.last_take_over {
        take_over.ago_seconds += age;
    }
    status
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use super::*;
    use crate::control::testing;

    #[test]
    fn what_is_known_grows_older() {
        let routers = VirtualRouters::default();
        let ago = Instant::now() - Duration::from_secs(60);
        routers.observe(ago, testing::backup("bank-vip"));
        let now = routers.get("bank-vip").unwrap();
        let was = testing::backup("bank-vip");
        assert!(now.state_seconds >= was.state_seconds + 60.0, "{now:?}");
        let heard = |status: &RouterStatus| status.active_peer.as_ref().unwrap().heard_seconds;
        assert!(heard(&now) >= heard(&was) + 60.0, "{now:?}");
        assert_eq!(routers.all().len(), 1);
    }

    #[test]
    fn an_unknown_name_is_told_with_those_that_exist() {
        let routers = VirtualRouters::default();
        let said = |name: &str| routers.get(name).unwrap_err().to_string();
        assert_eq!(said("x"), "no virtual router is called `x`; the file has none");
        routers.observe(Instant::now(), testing::backup("bank-vip"));
        routers.observe(Instant::now(), testing::backup("other-vip"));
        assert_eq!(said("x"), "no virtual router is called `x`; there are bank-vip, other-vip");
        routers.forget("other-vip");
        assert_eq!(said("x"), "no virtual router is called `x`; there are bank-vip");
    }

    #[test]
    fn wishes_reach_who_is_connected() {
        let routers = Arc::new(VirtualRouters::default());
        routers.ask(Wish::Take("nobody listens".to_owned()));
        let (sender, receiver) = mpsc::channel();
        routers.connect(move |wish| sender.send(wish).unwrap());
        routers.ask(Wish::Release("bank-vip".to_owned()));
        assert_eq!(receiver.try_recv(), Ok(Wish::Release("bank-vip".to_owned())));
    }
}
