use std::cell::RefCell;
use std::collections::VecDeque;

use super::*;
use crate::control::testing::{active, backup};
use crate::vrrp::Kind;

/// A daemon that follows a script: what it shows before the first wish, and after each.
#[derive(Default)]
pub(in crate::cli) struct Script {
    now: RefCell<Vec<RouterStatus>>,
    after: RefCell<VecDeque<Vec<RouterStatus>>>,
    pub wishes: RefCell<Vec<&'static str>>,
}

impl Script {
    /// Of each list, the last status stays.
    pub fn new(before: RouterStatus, after: impl IntoIterator<Item = Vec<RouterStatus>>) -> Self {
        let after = after.into_iter().collect();
        Self { now: RefCell::new(vec![before]), after: RefCell::new(after), wishes: RefCell::default() }
    }

    fn obey(&self, wish: &'static str) -> Result<Asked, ClientError> {
        self.wishes.borrow_mut().push(wish);
        if let Some(next) = self.after.borrow_mut().pop_front() {
            *self.now.borrow_mut() = next;
        }
        Ok(Asked { sequence: self.wishes.borrow().len() as u64 })
    }
}

impl Routers for Script {
    async fn router(&self, _: &str) -> Result<RouterStatus, ClientError> {
        let mut now = self.now.borrow_mut();
        Ok(if now.len() > 1 { now.remove(0) } else { now[0].clone() })
    }

    async fn release(&self, _: &str) -> Result<Asked, ClientError> {
        self.obey("release")
    }

    async fn take(&self, _: &str) -> Result<Asked, ClientError> {
        self.obey("take")
    }

    async fn timeline(&self, which: Which) -> Result<Vec<Entry>, ClientError> {
        let wishes = self.wishes.borrow();
        let subjects = ["bank-vip", "other-vip"];
        let entries = wishes.iter().zip(1..).flat_map(|(wish, sequence)| {
            subjects.map(|subject| Entry {
                sequence,
                time: 1_790_000_000.0 + sequence as f64,
                monotonic_seconds: sequence as f64,
                kind: Kind::Command,
                subject: subject.to_owned(),
                text: format!("{wish}, by an operator"),
            })
        });
        Ok(entries.filter(|entry| Some(entry.sequence) > which.after).collect())
    }
}

/// One that is soon over.
pub(in crate::cli) const HASTY: Patience =
    Patience { limit: Duration::from_millis(40), look: Duration::from_millis(1) };

fn released_backup() -> RouterStatus {
    RouterStatus { held: true, reason: "released by an operator".to_owned(), ..backup("bank-vip") }
}

fn nobody() -> RouterStatus {
    RouterStatus { active_peer: None, ..released_backup() }
}

async fn try_release(before: RouterStatus, after: Vec<RouterStatus>) -> Released {
    let script = Script::new(before, [after]);
    let released = release(&script, "bank-vip", HASTY).await.unwrap();
    assert_eq!(*script.wishes.borrow(), ["release"]);
    released
}

async fn try_take(before: RouterStatus, after: Vec<RouterStatus>) -> Taken {
    take(&Script::new(before, [after]), "bank-vip", HASTY).await.unwrap()
}

fn told(result: Result<String, String>) -> String {
    let text = match result {
        Ok(text) => format!("done: {text}"),
        Err(text) => format!("not done: {text}"),
    };
    // figures of this run
    let mut words = text.split_whitespace().collect::<Vec<_>>();
    for n in 1..words.len() {
        if words[n].starts_with("ms") {
            words[n - 1] = "…";
        }
    }
    words.join(" ")
}

#[tokio::test]
async fn what_comes_of_a_release() {
    let seen = vec![active("bank-vip"), nobody(), released_backup()];
    let to = try_release(active("bank-vip"), seen).await;
    assert!(matches!(&to, Released::To { peer, .. } if peer.source == "192.0.2.12"), "{to:?}");

    let again = RouterStatus { state_seconds: 0.0, ..active("bank-vip") };
    let back = try_release(active("bank-vip"), vec![nobody(), nobody(), again]).await;
    let fault = RouterStatus { state: State::Fault, reason: "eth0 is down".to_owned(), ..nobody() };
    let all = [
        to,
        back,
        try_release(active("bank-vip"), vec![nobody()]).await,
        try_release(active("bank-vip"), vec![active("bank-vip")]).await,
        try_release(backup("bank-vip"), vec![released_backup()]).await,
        try_release(fault.clone(), vec![fault]).await,
    ];
    let text: Vec<String> = all.iter().map(|released| told(tell_released("bank-vip", released))).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[tokio::test]
async fn what_comes_of_a_take() {
    let weak = || RouterStatus { priority: 250, ..released_backup() };
    let strong = released_backup;
    let here = RouterStatus { state_seconds: 0.0, ..active("bank-vip") };
    let fault = RouterStatus {
        state: State::Fault,
        reason: "not eligible".to_owned(),
        burdens: vec!["pool empi has no usable server".to_owned()],
        ..nobody()
    };
    let all = [
        try_take(weak(), vec![weak(), here]).await,
        try_take(active("bank-vip"), vec![]).await,
        try_take(strong(), vec![strong()]).await,
        try_take(weak(), vec![weak()]).await,
        try_take(nobody(), vec![nobody()]).await,
        try_take(fault.clone(), vec![fault]).await,
    ];
    let text: Vec<String> = all.iter().map(|taken| told(tell_taken("bank-vip", taken))).collect();
    insta::assert_snapshot!(text.join("\n"));
}
