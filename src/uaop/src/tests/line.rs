use std::collections::BTreeSet;
use std::sync::atomic::Ordering::SeqCst;

use domain::{Alarm, MessageCopy, Submission, Told};
use link::{Identity, Pool, PoolSettings, Role, ServerSettings, Verdict};
use tokio::sync::mpsc;

use super::scene::{Gateway, Switch, Uaop, until};
use super::{event, submission};

const NEW: Verdict = Verdict::Taken { duplicate: false };
const OLD: Verdict = Verdict::Taken { duplicate: true };

fn to(id: &str, digits: &str) -> Submission {
    Submission { to: digits.parse().unwrap(), ..submission(id) }
}

fn messages(prefix: &str, count: usize) -> Vec<Submission> {
    (0..count).map(|number| submission(&format!("{prefix}-{number}"))).collect()
}

#[tokio::test]
async fn a_message_is_taken_when_the_gateway_of_its_segment_has_it_and_its_copy_is_on_the_bus() {
    let (bus, _folder) = Switch::open().await;
    let (one, two, unicom) = (Gateway::start("cm-1"), Gateway::start("cm-2"), Gateway::start("cu-1"));
    let gateways = [(&one, "mobile"), (&two, "mobile"), (&unicom, "unicom")];
    let uaop = Uaop::start("u", &gateways, &bus, "").await;
    assert_eq!(uaop.offer(messages("m", 200), false).await, vec![NEW; 200]);
    assert_eq!((one.count() + two.count(), unicom.count()), (200, 0));
    assert!(one.count() > 50 && two.count() > 50, "{} and {}", one.count(), two.count());

    let others = vec![to("u-1", "13000000000"), to("x-1", "15412345678"), to("t-1", "13300000000")];
    let verdicts = uaop.offer(others, false).await;
    let refused = Verdict::Refused { reason: "no carrier has the number 154****5678".to_owned() };
    assert_eq!(verdicts[..2], [NEW, refused]);
    assert!(matches!(&verdicts[2], Verdict::Later { reason } if reason.contains("no route")), "{verdicts:?}");
    assert_eq!(unicom.count(), 1);

    let copies = bus.read(bus::COPIES, |all| all.len() >= 201).await;
    let copied = copies.iter().map(|copy| serde_json::from_slice::<MessageCopy>(&copy.value).unwrap());
    let copied: BTreeSet<_> = copied.map(|copy| copy.submission.uaop_id).collect();
    let taken: BTreeSet<_> = [&one, &two, &unicom].iter().flat_map(|g| g.disk().has.clone()).collect();
    assert_eq!(copied, taken);
    let is_no_route = |alarm: &Alarm| alarm.what == "no_route" && alarm.of == "telecom" && alarm.raised;
    bus.read(bus::ALARMS, |all| {
        all.iter().any(|alarm| is_no_route(&serde_json::from_slice(&alarm.value).unwrap()))
    })
    .await;
    uaop.process.stop().await;
}

#[tokio::test]
async fn every_uaop_tells_every_event_and_acknowledges_it_when_it_is_on_the_bus() {
    let (bus, _folder) = Switch::open().await;
    let gateway = Gateway::start("cm-1");
    let first = Uaop::start("u-1", &[(&gateway, "mobile")], &bus, "").await;
    let second = Uaop::start("u-2", &[(&gateway, "mobile")], &bus, "").await;
    gateway.disk().events.extend((0..50).map(|number| event("cm", number)));
    let acknowledged = |up_to: i64| {
        let disk = gateway.disk();
        ["u-1", "u-2"].iter().all(|node| disk.acknowledged.get(*node) == Some(&up_to))
    };
    until("the events are acknowledged", || acknowledged(50)).await;

    bus.away.store(true, SeqCst);
    first.stands(false).await;
    gateway.disk().events.extend([b"no event".to_vec(), event("cm", 50)]);
    first.stands(false).await;
    assert!(acknowledged(50));
    bus.away.store(false, SeqCst);
    until("the rest is acknowledged", || acknowledged(52)).await;

    let told = bus.read(bus::EVENTS, |all| all.len() >= 102).await;
    let told = told.iter().map(|told| serde_json::from_slice::<Told>(&told.value).unwrap());
    let told: BTreeSet<_> =
        told.map(|told| (told.uaop, serde_json::to_string(&told.event.happened).unwrap())).collect();
    assert_eq!(told.len(), 102);
    first.process.stop().await;
    second.process.stop().await;
}

#[tokio::test]
async fn without_the_bus_messages_wait_within_the_limit_and_are_then_put_off() {
    let (bus, _folder) = Switch::open().await;
    let gateway = Gateway::start("cm-1");
    let uaop = Uaop::start("u", &[(&gateway, "mobile")], &bus, "wait: 300ms\n").await;
    bus.away.store(true, SeqCst);
    // the gateway has it before it is known that the bus is away
    let verdicts = uaop.offer(messages("a", 1), false).await;
    assert!(
        matches!(&verdicts[0], Verdict::InDoubt { reason } if reason.contains("unplugged")),
        "{verdicts:?}"
    );
    uaop.stands(false).await;
    let had = gateway.count();
    let verdicts = uaop.offer(messages("b", 10), false).await;
    assert!(
        matches!(&verdicts[9], Verdict::Later { reason } if reason.contains("the bus is away")),
        "{verdicts:?}"
    );
    assert_eq!(gateway.count(), had);

    bus.away.store(false, SeqCst);
    uaop.stands(true).await;
    let expected = if had == 1 { OLD } else { NEW };
    assert_eq!(uaop.offer(messages("a", 1), true).await, [expected]);
    assert_eq!(uaop.offer(messages("b", 10), false).await, vec![NEW; 10]);
    bus.read(bus::COPIES, |all| all.len() >= 11).await;
    uaop.process.stop().await;
}

#[tokio::test]
async fn a_uaop_that_was_killed_takes_what_its_gateway_has_as_a_duplicate() {
    let (bus, _folder) = Switch::open().await;
    let gateway = Gateway::start("cm-1");
    let first = Uaop::start("u", &[(&gateway, "mobile")], &bus, "").await;
    assert_eq!(first.offer(messages("m", 3), false).await, [NEW, NEW, NEW]);
    first.process.kill();
    let second = Uaop::start("u", &[(&gateway, "mobile")], &bus, "").await;
    assert_eq!(second.offer(messages("m", 4), true).await, [OLD, OLD, OLD, NEW]);
    assert_eq!(gateway.count(), 4);
    second.process.stop().await;
}

/// Two gateways, of which one takes its share of the messages and dies before it says so. Two UAOPs.
struct Killed {
    bus: std::sync::Arc<Switch>,
    _folder: tempfile::TempDir,
    dead: Gateway,
    alive: Gateway,
    uaops: Vec<Uaop>,
    pool: Pool,
}

impl Killed {
    async fn new(policy: &str) -> (Self, tokio::task::JoinHandle<Vec<Verdict>>) {
        let (bus, folder) = Switch::open().await;
        let (mut dead, alive) = (Gateway::start("cm-1"), Gateway::start("cm-2"));
        let more = format!("patience: 1s\nclasses: [ {{ name: default, uncertain: {policy} }} ]\n");
        let mut uaops = Vec::new();
        for node in ["u-1", "u-2"] {
            uaops.push(Uaop::start(node, &[(&dead, "mobile"), (&alive, "mobile")], &bus, &more).await);
        }
        let servers = uaops.iter().enumerate().map(|(number, uaop)| ServerSettings {
            name: format!("u-{number}"),
            address: settings::Address::Socket(uaop.address),
            weight: 100,
            priority: 1,
        });
        let me = Identity { role: Role::Empi, node: "empi".to_owned(), site: "dc-1".to_owned() };
        let news = mpsc::unbounded_channel().0;
        let pool = Pool::open(PoolSettings::new("uaops", servers.collect()), me, Role::Uaop, news);
        dead.disk().mute = true;
        let offering = tokio::spawn({
            let pool = pool.clone();
            async move { pool.submit(messages("m", 100), false).await }
        });
        until("each gateway has its share", || dead.count() + alive.count() == 100).await;
        assert!(dead.count() > 10, "{}", dead.count());
        dead.kill();
        (Self { bus, _folder: folder, dead, alive, uaops, pool }, offering)
    }

    async fn end(self) {
        drop(self.pool);
        for uaop in self.uaops {
            uaop.process.stop().await;
        }
    }

    /// Both have it.
    fn twice(&self) -> usize {
        self.dead.disk().has.intersection(&self.alive.disk().has).count()
    }
}

#[tokio::test]
async fn resend_sends_what_a_dead_gateway_may_have_by_another_one() {
    let (scene, offering) = Killed::new("resend").await;
    let verdicts = offering.await.unwrap();
    assert_eq!(verdicts, vec![NEW; 100]);
    assert_eq!((scene.alive.count(), scene.twice()), (100, scene.dead.count()));
    scene.bus.read(bus::COPIES, |all| all.len() >= 100).await;
    scene.end().await;
}

#[tokio::test]
async fn mark_keeps_what_a_dead_gateway_may_have_until_it_is_back() {
    let (mut scene, offering) = Killed::new("mark").await;
    // what is new is not held up
    let new = scene.pool.submit(messages("n", 100), false).await;
    assert_eq!(new, vec![NEW; 100]);
    assert_eq!(scene.twice(), 0);
    let had = scene.dead.count();
    scene.dead.restart();
    let verdicts = offering.await.unwrap();
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == OLD).count(), had);
    assert_eq!((scene.twice(), scene.dead.count()), (0, had));
    scene.bus.read(bus::COPIES, |all| all.len() >= 200).await;
    scene.end().await;
}
