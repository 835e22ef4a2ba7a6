//! How a message ends that is not simply accepted.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use domain::event::{Attempt, Outcome};
use domain::{Disposition, Happened, Millis, Submission};
use testkit::line::letters::Letters;
use testkit::line::protocol::ACCOUNT;
use testkit::line::{Keys, Ledger, Protocol, Scene};
use wire::exchange::Answer;
use wire::protocol::Messages;

use super::fake::Fake;
use super::{SOON, over_each_protocol, with_wire};

over_each_protocol! {
    a_refusal_for_good_is_final_and_explained
    a_refusal_for_now_is_tried_again
    what_is_in_doubt_is_sent_again_or_marked_as_its_class_says
    a_stop_in_the_midst_leaves_nothing_in_doubt
}

/// Messages of the class `verification` are marked, all others sent again.
const CLASSES: &str = "[ { name: verification, uncertain: mark } ]";

/// The codes of a protocol that mean this.
fn codes<P: Messages>(disposition: Disposition) -> impl Iterator<Item = u32> {
    (1..=99).filter(move |code| P::meaning(*code).disposition == disposition)
}

fn a_refusal_for_good_is_final_and_explained(protocol: Protocol) {
    with_wire!(protocol, refused_for_good);
}

fn refused_for_good<P: Messages>(protocol: Protocol) {
    let fake = Fake::<P>::start(protocol, |account| account.set("window", 64));
    let mut peer = fake.peer();
    let codes: Vec<u32> = codes::<P>(Disposition::Final).take(25).collect();
    assert!(codes.len() > 5, "{codes:?}");
    let mut letters = Letters::new();
    // the second part of a long one is not sent when the first is refused, or waited for if it is under way
    let mut batch = vec![letters.with_text(&"长".repeat(100))];
    batch.extend((1..codes.len()).map(|nth| letters.with_text(&format!("short {nth}"))));
    Ledger::new().submit(&fake.gateway.uplink(), batch).unwrap();
    let mut refused = BTreeSet::new();
    let mut waiting = codes.iter().copied();
    while refused.len() < codes.len() {
        let (sequence, submit) = peer.submit();
        if submit.part > 1 {
            peer.accept(sequence);
        } else {
            let code = waiting.next().unwrap();
            refused.insert(code);
            peer.answer(sequence, Answer { code, id: None });
        }
    }
    fake.feed.wait_count("finished", codes.len(), SOON).unwrap();
    let ended: BTreeSet<u32> = fake.feed.look(|seen| {
        let ends = seen.events.iter().filter_map(|told| match &told.event.happened {
            Happened::Finished { outcome: Outcome::Refused { code: Some(code), reason }, .. } => {
                assert!(!reason.is_empty());
                Some(*code)
            }
            _ => None,
        });
        ends.collect()
    });
    assert_eq!(ended, refused);
    let meaning = P::meaning(codes[0]);
    fake.gateway.wait_log(meaning.chinese, SOON).unwrap();
    fake.gateway.wait_log(meaning.english, SOON).unwrap();
    if codes.len() >= 20 {
        let labels = [("account", ACCOUNT), ("kind", "answers")];
        fake.gateway.wait_metric("gateway_alarm", &labels, SOON, |alarm| alarm == 1.0).unwrap();
    }
}

fn a_refusal_for_now_is_tried_again(protocol: Protocol) {
    with_wire!(protocol, refused_for_now);
}

fn refused_for_now<P: Messages>(protocol: Protocol) {
    let code = codes::<P>(Disposition::Later).next().unwrap();
    let behaviour = format!("{{ report: 5ms, answer_codes: {{ {code}: 30 % }} }}");
    let line = Scene::new(protocol).customer("behaviour", behaviour).start().unwrap();
    let mut ledger = Ledger::new();
    ledger.submit(&line.gateway.uplink(), Letters::new().many(30)).unwrap();
    let balance = ledger.settle(&line, SOON).unwrap();
    assert_eq!((balance.accepted, balance.duplicates), (30, 0));
    let refused = line.carrier.control().counts().unwrap().codes[&code];
    let retries = [("account", ACCOUNT), ("attempt", "retry")];
    assert_eq!(line.gateway.metrics().unwrap().sum("gateway_parts_pushed_total", &retries), refused as f64);
}

fn what_is_in_doubt_is_sent_again_or_marked_as_its_class_says(protocol: Protocol) {
    with_wire!(protocol, in_doubt);
}

/// First a connection that breaks, then a gateway that is killed.
fn in_doubt<P: Messages>(protocol: Protocol) {
    let top = Keys::new().set("classes", CLASSES);
    let mut fake = Fake::<P>::start_with(protocol, top, |account| account);
    let mut letters = Letters::new().with_verifications(2);
    let mut ledger = Ledger::new();
    let mut peer = fake.peer();
    for (round, kill) in [(1, false), (2, true)] {
        let batch: Vec<Submission> =
            ["again", "marked"].iter().map(|text| letters.with_text(&format!("{text} {round}"))).collect();
        ledger.submit(&fake.gateway.uplink(), batch).unwrap();
        let mut heard: Vec<Vec<u8>> = (0..2).map(|_| peer.submit().1.content).collect();
        heard.sort();
        assert_eq!(heard, [format!("again {round}").into_bytes(), format!("marked {round}").into_bytes()]);
        if kill {
            fake.gateway.kill();
            fake.gateway.start_again().unwrap();
        }
        drop(peer);
        peer = fake.peer();
        let (sequence, submit) = peer.submit();
        assert_eq!(submit.content, format!("again {round}").into_bytes());
        peer.accept(sequence);
        fake.feed.wait_count("finished", 2 * round, SOON).unwrap();
        // the marked one never comes: what comes next, if anything, is the next round's
    }
    let (outcomes, attempts) = fake.feed.look(|seen| {
        let happened = || seen.events.iter().map(|told| &told.event.happened);
        let outcomes: Vec<(String, Outcome)> = happened()
            .filter_map(|happened| match happened {
                Happened::Finished { uaop_id, outcome } => Some((uaop_id.to_string(), outcome.clone())),
                _ => None,
            })
            .collect();
        let attempts: Vec<Attempt> = happened()
            .filter_map(|happened| match happened {
                Happened::Pushed { attempt, .. } => Some(*attempt),
                _ => None,
            })
            .collect();
        (outcomes, attempts)
    });
    let ended = |id: &str| outcomes.iter().find(|(of, _)| of == id).unwrap().1.clone();
    for (id, outcome) in [
        ("m-0000000", Outcome::Accepted),
        ("m-0000001", Outcome::Uncertain),
        ("m-0000002", Outcome::Accepted),
        ("m-0000003", Outcome::Uncertain),
    ] {
        assert_eq!(ended(id), outcome, "{id}");
    }
    use Attempt::{First, Uncertain};
    assert_eq!(attempts, [First, First, Uncertain, First, First, Uncertain]);
}

fn a_stop_in_the_midst_leaves_nothing_in_doubt(protocol: Protocol) {
    const MESSAGES: usize = 1_000;
    let behaviour = "{ answer: 1ms to 20ms, report: 5ms }";
    let mut line = Scene::new(protocol)
        .gateway("classes", CLASSES)
        .account("connections", 2)
        .customer("behaviour", behaviour)
        .start()
        .unwrap();
    let mut ledger = Ledger::marking(&["verification"]);
    ledger.submit(&line.gateway.uplink(), Letters::new().with_verifications(2).many(MESSAGES)).unwrap();
    for pushed in [MESSAGES / 4, MESSAGES / 2] {
        line.feed.wait_count("pushed", pushed, SOON).unwrap();
        line.gateway.stop().unwrap();
        line.gateway.start_again().unwrap();
    }
    let balance = ledger.settle(&line, SOON).unwrap();
    assert_eq!((balance.accepted, balance.uncertain_pushes, balance.duplicates), (MESSAGES, 0, 0));
}

#[test]
fn a_message_whose_time_is_over_before_it_could_be_sent_expires() {
    let scene = Scene::new(Protocol::Cmpp20).customer("behaviour", "{ pause: true }");
    let line = scene.account("timers", "{ login: 300ms }").start_unconnected().unwrap();
    let mut letters = Letters::new();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let soon = Millis(u64::try_from(now).unwrap() + 500);
    let batch = vec![Submission { not_after: Some(soon), ..letters.one() }, letters.one()];
    let mut ledger = Ledger::new();
    ledger.submit(&line.gateway.uplink(), batch).unwrap();
    let expired = line.feed.find("the end of the first", SOON, |happened| match happened {
        Happened::Finished { uaop_id, outcome } => Some((uaop_id.to_string(), outcome.clone())),
        _ => None,
    });
    assert_eq!(expired.unwrap(), ("m-0000000".to_owned(), Outcome::Expired));

    line.carrier.control().behaviour("{ pause: false }").unwrap();
    line.feed.wait_count("finished", 2, SOON).unwrap();
    assert_eq!(line.carrier.control().counts().unwrap().submits, 1);
}
