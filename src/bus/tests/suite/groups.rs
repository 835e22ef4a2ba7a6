//! What groups and their members get.

use std::collections::{BTreeMap, BTreeSet};

use bus::{Bus, BusError, Consumer};
use tokio::time::timeout;

use crate::kit::*;

pub async fn what_is_committed_does_not_come_again(engine: &Engine) {
    let bus = engine.with_topic(4).await;
    bus.publish(TOPIC, numbered(0..40)).await.unwrap();
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    read(&mut *consumer, 40).await;
    consumer.commit().await.unwrap();
    consumer.commit().await.unwrap();
    drop(consumer);
    bus.publish(TOPIC, numbered(40..60)).await.unwrap();
    let mut consumer = engine.open("again").await.subscribe("group", &[TOPIC]).await.unwrap();
    assert_eq!(numbers(&read(&mut *consumer, 20).await), Vec::from_iter(40..60));
}

pub async fn what_is_not_committed_comes_again(engine: &Engine) {
    let bus = engine.with_topic(1).await;
    bus.publish(TOPIC, numbered(0..40)).await.unwrap();
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    let mut done = 0;
    while done < 10 {
        done += consumer.next(10 - done).await.unwrap().len();
    }
    consumer.commit().await.unwrap();
    read(&mut *consumer, 30).await;
    drop(consumer);
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    assert_eq!(numbers(&read(&mut *consumer, 30).await), Vec::from_iter(10..40));
}

pub async fn each_group_gets_all(engine: &Engine) {
    let bus = engine.with_topic(2).await;
    bus.publish(TOPIC, numbered(0..20)).await.unwrap();
    for group in ["one", "two"] {
        let mut consumer = bus.subscribe(group, &[TOPIC]).await.unwrap();
        assert_eq!(numbers(&read(&mut *consumer, 20).await), Vec::from_iter(0..20));
        consumer.commit().await.unwrap();
    }
}

pub async fn one_consumer_can_read_several_topics(engine: &Engine) {
    let bus = engine.open("one").await;
    bus.ensure(&[topic("a", 1), topic("b", 3)]).await.unwrap();
    bus.publish("a", numbered(0..10)).await.unwrap();
    bus.publish("b", numbered(10..20)).await.unwrap();
    let mut consumer = bus.subscribe("group", &["a", "b"]).await.unwrap();
    let records = read(&mut *consumer, 20).await;
    assert_eq!(numbers(records.iter().filter(|record| record.topic == "a")), Vec::from_iter(0..10));
    assert_eq!(numbers(records.iter().filter(|record| record.topic == "b")), Vec::from_iter(10..20));
    consumer.commit().await.unwrap();
    drop(consumer);
    bus.publish("a", numbered(20..21)).await.unwrap();
    let mut consumer = bus.subscribe("group", &["a", "b"]).await.unwrap();
    assert_eq!(numbers(&read(&mut *consumer, 1).await), [20]);
}

pub async fn two_members_share_the_partitions(engine: &Engine) {
    let bus = engine.with_topic(4).await;
    let mut members = two_members(engine, &*bus).await;
    rounds_until_shared(&*bus, &mut members).await;
}

async fn two_members(engine: &Engine, bus: &dyn Bus) -> [Box<dyn Consumer>; 2] {
    let other = engine.open("two").await;
    [bus.subscribe("group", &[TOPIC]).await.unwrap(), other.subscribe("group", &[TOPIC]).await.unwrap()]
}

/// Rounds of records, until each partition of a round came to one member, and both had some. The number of the next one.
async fn rounds_until_shared(bus: &dyn Bus, members: &mut [Box<dyn Consumer>; 2]) -> u32 {
    let mut next = 0;
    let shared = async {
        loop {
            bus.publish(TOPIC, numbered(next..next + 40)).await.unwrap();
            let (seen, committed) = round(members, next..next + 40).await;
            next += 40;
            let readers: BTreeSet<usize> = seen.values().flatten().copied().collect();
            if committed
                && seen.len() == 4
                && seen.values().all(|readers| readers.len() == 1)
                && readers.len() == 2
            {
                return next;
            }
        }
    };
    timeout(LONG, shared).await.expect("the partitions were never shared")
}

/// Which members had which partition, and whether they could commit it.
async fn round(
    members: &mut [Box<dyn Consumer>; 2],
    wanted: std::ops::Range<u32>,
) -> (BTreeMap<u32, BTreeSet<usize>>, bool) {
    let mut all_committed = true;
    let mut missing: BTreeSet<u32> = wanted.collect();
    let mut seen: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
    let [one, two] = members;
    while !missing.is_empty() {
        let (member, records) = tokio::select! {
            records = some(&mut **one) => (0, records),
            records = some(&mut **two) => (1, records),
        };
        for record in &records {
            missing.remove(&number(record));
            seen.entry(record.partition).or_default().insert(member);
        }
        let committed = if member == 0 { one.commit().await } else { two.commit().await };
        if let Err(error) = committed {
            assert!(error.is_passing(), "{error}");
            all_committed = false;
        }
    }
    (seen, all_committed)
}

pub async fn what_a_member_leaves_goes_to_the_other(engine: &Engine) {
    let bus = engine.with_topic(4).await;
    let mut members = two_members(engine, &*bus).await;
    let next = rounds_until_shared(&*bus, &mut members).await;
    let [mut one, mut two] = members;
    bus.publish(TOPIC, numbered(next..next + 40)).await.unwrap();
    // it has some, and does not commit them
    some(&mut *one).await;
    drop(one);
    let records = read_all(&mut *two, next..next + 40).await;
    assert!(records.iter().all(|record| number(record) >= next), "what was committed came again");
    two.commit().await.unwrap();
}

pub async fn who_lost_a_partition_cannot_commit_it(engine: &Engine) {
    let bus = engine.with_topic(4).await;
    bus.publish(TOPIC, numbered(0..40)).await.unwrap();
    let mut one = bus.subscribe("group", &[TOPIC]).await.unwrap();
    read(&mut *one, 40).await;
    let mut two = engine.open("two").await.subscribe("group", &[TOPIC]).await.unwrap();
    // the first goes on reading, as roles do; what it keeps may come to it again
    let taken = loop {
        tokio::select! {
            taken = some(&mut *two) => break taken,
            _ = some(&mut *one) => {}
        }
    };
    let error = one.commit().await.unwrap_err();
    assert!(matches!(error, BusError::Away(_)), "{error}");
    // what the first kept is committed, and what the second took is its own
    two.commit().await.unwrap();
    one.commit().await.unwrap();
    drop(one);
    let taken: BTreeSet<u32> = taken.iter().map(number).collect();
    bus.publish(TOPIC, numbered(40..80)).await.unwrap();
    let again = read_all(&mut *two, 40..80).await;
    assert!(again.iter().all(|record| !taken.contains(&number(record))), "the second's commit was lost");
}
