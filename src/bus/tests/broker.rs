//! A broker that dies, or stands still.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod kit;

use std::collections::BTreeSet;
use std::time::Duration;

use bus::BusError;
use kit::*;
use testkit::broker::Broker;
use tokio::time::{Instant, timeout};

#[tokio::test]
async fn a_broker_that_stands_still_is_away_until_it_goes_on() {
    let patience = Duration::from_secs(2);
    let broker = Broker::start().unwrap();
    let bus = kafka(&broker.address(), patience).await;
    bus.ensure(&[topic(TOPIC, 2)]).await.unwrap();
    bus.publish(TOPIC, numbered(0..10)).await.unwrap();
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    read(&mut *consumer, 10).await;
    consumer.commit().await.unwrap();

    broker.freeze().unwrap();
    let asked = Instant::now();
    let away = bus.publish(TOPIC, numbered(10..20)).await.unwrap_err();
    assert!(matches!(away, BusError::Away(_)), "{away}");
    assert!(asked.elapsed() < 3 * patience, "{:?}", asked.elapsed());
    assert!(matches!(bus.ping().await, Err(BusError::Away(_))));
    broker.thaw().unwrap();

    let back = async { while bus.publish(TOPIC, numbered(20..30)).await.is_err() {} };
    timeout(LONG, back).await.unwrap();
    read_all(&mut *consumer, 20..30).await;
    let committed = async {
        while consumer.commit().await.is_err() {
            let _ = timeout(Duration::from_millis(100), consumer.next(100)).await;
        }
    };
    timeout(LONG, committed).await.unwrap();
}

#[tokio::test]
async fn a_broker_killed_again_and_again_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut broker) = Broker::durable(folder.path()).unwrap() else { return };
    let address = broker.address();
    let bus = kafka(&address, Duration::from_secs(30)).await;
    bus.ensure(&[topic(TOPIC, 4)]).await.unwrap();

    let (said, mut acknowledged) = tokio::sync::mpsc::unbounded_channel();
    let writing = tokio::spawn({
        let bus = bus.clone();
        async move {
            for first in (0..6000).step_by(20) {
                match bus.publish(TOPIC, numbered(first..first + 20)).await {
                    Ok(()) => said.send(first..first + 20).unwrap(),
                    Err(error) => assert!(matches!(error, BusError::Away(_)), "{error}"),
                }
            }
        }
    });
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    let (mut wanted, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut kills = 0;
    while let Some(written) = timeout(LONG, acknowledged.recv()).await.unwrap() {
        wanted.extend(written);
        if wanted.len() >= (kills + 1) * 1500 && kills < 3 {
            broker.kill();
            broker.restart().unwrap();
            kills += 1;
        }
        // read meanwhile what there is
        if let Ok(Ok(records)) = timeout(Duration::from_millis(1), consumer.next(1000)).await {
            seen.extend(numbers(&records));
        }
    }
    writing.await.unwrap();
    assert_eq!(kills, 3);
    assert!(wanted.len() >= 4500, "only {} were acknowledged", wanted.len());
    while !wanted.is_subset(&seen) {
        seen.extend(numbers(&some(&mut *consumer).await));
    }
}
