use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::{GatewayId, Target, UaopId, WhenUncertain};
use link::{LineError, Offer, Verdict};
use tokio::time::Instant;

use super::{Dispatch, Done, Routed};
use crate::config::Classes;
use crate::gateways::{Board, Condition, Peer};
use crate::metrics::Metrics;
use crate::outcome::Outcome;
use crate::tests::submission;

const PATIENCE: Duration = Duration::from_secs(10);

/// A gateway that keeps ids, and does what it is told to.
#[derive(Default)]
struct Fake(Mutex<State>);

#[derive(Default)]
struct State {
    has: BTreeSet<UaopId>,
    offered: Vec<Offer>,
    /// The line is lost before the verdicts; whether the messages had been taken.
    loses: Option<bool>,
    says: Option<Verdict>,
}

impl Fake {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

#[async_trait]
impl Peer for Fake {
    async fn submit(&self, offers: Vec<Offer>) -> Result<Vec<Verdict>, LineError> {
        let mut state = self.state();
        let mut verdicts = Vec::new();
        let takes = state.says.is_none() && state.loses != Some(false);
        for offer in offers {
            let id = offer.submission.uaop_id.clone();
            state.offered.push(offer);
            let duplicate = takes && !state.has.insert(id);
            verdicts.push(state.says.clone().unwrap_or(Verdict::Taken { duplicate }));
        }
        if state.loses.is_some() { Err(LineError::Lost("cut".to_owned())) } else { Ok(verdicts) }
    }

    async fn known(&self, ids: Vec<UaopId>) -> Result<Vec<bool>, LineError> {
        let state = self.state();
        Ok(ids.iter().map(|id| state.has.contains(id)).collect())
    }

    fn acknowledge(&self, _: i64) {}
}

struct Scene {
    dispatch: Dispatch,
    gateways: BTreeMap<&'static str, Arc<Fake>>,
    targets: Vec<Target>,
}

impl Scene {
    /// Gateways `a` and `b` share; `c` is the second tier.
    fn new(policy: WhenUncertain) -> Self {
        let name = |name: &str| name.parse::<GatewayId>().unwrap();
        let gateways: BTreeMap<_, _> =
            ["a", "b", "c"].into_iter().map(|n| (n, Arc::new(Fake::default()))).collect();
        let board = Board::new(gateways.keys().map(|n| name(n)));
        let peers = gateways.iter().map(|(n, fake)| (name(n), Arc::clone(fake) as Arc<dyn Peer>)).collect();
        let classes = Classes { default: policy, named: BTreeMap::new(), patience: PATIENCE };
        let dispatch = Dispatch { peers, board, classes, metrics: Metrics::for_test() };
        let targets = [("a", 1), ("b", 1), ("c", 2)].map(|(n, priority)| Target {
            gateway: name(n),
            account: None,
            weight: 100,
            priority,
        });
        let scene = Self { dispatch, gateways, targets: targets.to_vec() };
        scene.set("abc", || Condition::Ready);
        scene
    }

    fn set(&self, names: &str, condition: impl Fn() -> Condition) {
        for n in names.chars() {
            self.dispatch.board.note(&n.to_string().parse().unwrap(), |_| condition());
        }
    }

    fn away(&self, names: &str) {
        self.away_for(names, Duration::ZERO);
    }

    fn away_for(&self, names: &str, time: Duration) {
        let since = Instant::now().checked_sub(time).unwrap();
        self.set(names, || Condition::Away { reason: "refused".to_owned(), since });
    }

    fn fake(&self, name: &str) -> std::sync::MutexGuard<'_, State> {
        self.gateways[name].state()
    }

    async fn offer(&self, id: &str, again: bool) -> Done {
        self.offer_all(&[id], again).await.remove(0)
    }

    async fn offer_all(&self, ids: &[&str], again: bool) -> Vec<Done> {
        let routed = ids.iter().map(|id| Routed {
            offer: Offer { submission: submission(id), again },
            targets: self.targets.iter().collect(),
        });
        self.dispatch.dispatch(routed.collect()).await
    }
}

fn by(done: &Done) -> (Option<&str>, &Outcome) {
    (done.gateway.as_ref().map(GatewayId::as_str), &done.outcome)
}

const TAKEN: Outcome = Outcome::Taken { duplicate: false };
const DUPLICATE: Outcome = Outcome::Taken { duplicate: true };

#[tokio::test]
async fn the_first_gateway_that_takes_messages_gets_it() {
    let scene = Scene::new(WhenUncertain::Resend);
    assert_eq!(by(&scene.offer("m-1", false).await), (Some("a"), &TAKEN));
    scene.away("a");
    assert_eq!(by(&scene.offer("m-2", false).await), (Some("b"), &TAKEN));
    scene.set("b", || Condition::Unready { reason: "full".to_owned() });
    assert_eq!(by(&scene.offer("m-3", false).await), (Some("c"), &TAKEN));
    scene.away("c");
    let none = scene.offer("m-4", false).await.outcome;
    assert_eq!(
        none,
        Outcome::NoGateway("no gateway takes messages: a: refused; b: full; c: refused".to_owned())
    );
}

#[tokio::test]
async fn what_one_puts_off_goes_to_the_next_and_what_one_refuses_does_not() {
    let scene = Scene::new(WhenUncertain::Resend);
    scene.fake("a").says = Some(Verdict::Later { reason: "full".to_owned() });
    assert_eq!(by(&scene.offer("m-1", false).await), (Some("b"), &TAKEN));
    scene.fake("b").says = Some(Verdict::Refused { reason: "too long".to_owned() });
    assert_eq!(by(&scene.offer("m-2", false).await), (Some("b"), &Outcome::Refused("too long".to_owned())));
    assert_eq!(scene.fake("c").offered.len(), 0);
    for name in ["b", "c"] {
        scene.fake(name).says = Some(Verdict::Later { reason: "full".to_owned() });
    }
    assert_eq!(scene.offer("m-3", false).await.outcome, Outcome::PutOff("gateway c: full".to_owned()));
}

#[tokio::test]
async fn a_target_that_names_an_account_gets_it_and_the_next_does_not() {
    let mut scene = Scene::new(WhenUncertain::Resend);
    scene.targets[0].account = Some("fast".parse().unwrap());
    scene.fake("a").says = Some(Verdict::Later { reason: "full".to_owned() });
    let done = scene.offer("m-1", false).await;
    assert_eq!(scene.fake("a").offered[0].submission.account.as_ref().unwrap().as_str(), "fast");
    assert_eq!((by(&done).0, &done.submission.account), (Some("b"), &None));
}

#[tokio::test]
async fn what_was_offered_before_goes_to_the_gateway_that_has_it() {
    let scene = Scene::new(WhenUncertain::Mark);
    scene.fake("b").has.insert("m-2".parse().unwrap());
    let done = scene.offer_all(&["m-1", "m-2", "m-3"], true).await;
    let expected = [(Some("a"), &TAKEN), (Some("b"), &DUPLICATE), (Some("a"), &TAKEN)];
    assert_eq!(done.iter().map(by).collect::<Vec<_>>(), expected);
    assert!(scene.fake("b").offered.iter().all(|offer| offer.again));
    assert_eq!(scene.fake("b").offered.len(), 1);
}

#[tokio::test]
async fn a_lost_line_leaves_a_message_in_doubt_that_mark_keeps_until_the_gateway_is_back() {
    let scene = Scene::new(WhenUncertain::Mark);
    scene.fake("a").loses = Some(true);
    assert!(matches!(scene.offer("m-1", false).await.outcome, Outcome::Doubt(_)));
    for times in 0..3 {
        scene.away_for("a", PATIENCE * times);
        let done = scene.offer("m-1", true).await;
        let reason = "gateway a may have it and cannot be asked: refused".to_owned();
        assert_eq!(by(&done), (None, &Outcome::Doubt(reason)));
    }
    // what is new is not held up
    assert_eq!(by(&scene.offer("m-2", false).await), (Some("b"), &TAKEN));
    scene.fake("a").loses = None;
    scene.set("a", || Condition::Ready);
    assert_eq!(by(&scene.offer("m-1", true).await), (Some("a"), &DUPLICATE));
    assert_eq!(scene.dispatch.metrics.uncertain_resends.get(), 0);
}

#[tokio::test]
async fn resend_sends_by_another_gateway_after_its_patience_and_counts_it() {
    let scene = Scene::new(WhenUncertain::Resend);
    scene.fake("a").loses = Some(true);
    assert!(matches!(scene.offer("m-1", false).await.outcome, Outcome::Doubt(_)));
    scene.away_for("a", PATIENCE / 2);
    assert!(matches!(scene.offer("m-1", true).await.outcome, Outcome::Doubt(_)));
    assert_eq!(scene.dispatch.metrics.uncertain_resends.get(), 0);
    scene.away_for("a", PATIENCE);
    assert_eq!(by(&scene.offer("m-1", true).await), (Some("b"), &TAKEN));
    assert_eq!(scene.dispatch.metrics.uncertain_resends.get(), 1);
    // from now on one that can be asked has it
    assert_eq!(by(&scene.offer("m-1", true).await), (Some("b"), &DUPLICATE));
    assert_eq!(scene.dispatch.metrics.uncertain_resends.get(), 1);
}

#[tokio::test]
async fn resend_waits_for_every_gateway_that_may_have_it() {
    let scene = Scene::new(WhenUncertain::Resend);
    scene.away_for("a", PATIENCE);
    scene.away_for("b", PATIENCE / 2);
    assert!(matches!(scene.offer("m-1", true).await.outcome, Outcome::Doubt(_)));
    scene.away_for("b", PATIENCE);
    assert_eq!(by(&scene.offer("m-1", true).await), (Some("c"), &TAKEN));
}

#[tokio::test]
async fn what_was_lost_on_the_way_and_not_taken_is_sent_once_the_gateway_says_so() {
    let scene = Scene::new(WhenUncertain::Mark);
    scene.fake("a").loses = Some(false);
    assert!(matches!(scene.offer("m-1", false).await.outcome, Outcome::Doubt(_)));
    scene.fake("a").loses = None;
    assert_eq!(by(&scene.offer("m-1", true).await), (Some("a"), &TAKEN));
}
