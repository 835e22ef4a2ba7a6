//! What is written and read.

use std::collections::BTreeMap;
use std::time::Duration;

use bus::{BusError, Record};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::kit::*;

pub async fn what_is_published_is_there_for_who_opens_it_later(engine: &Engine) {
    let bus = engine.with_topic(4).await;
    bus.publish(TOPIC, numbered(0..50)).await.unwrap();
    drop(bus);
    let bus = engine.open("later").await;
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    assert_eq!(numbers(&read(&mut *consumer, 50).await), Vec::from_iter(0..50));
}

pub async fn records_with_one_key_stay_in_order_in_one_partition(engine: &Engine) {
    let bus = engine.with_topic(4).await;
    let keyed = |numbers: std::ops::Range<u32>| -> Vec<Record> {
        numbers.map(|number| record(&format!("key-{}", number % 10), number)).collect()
    };
    bus.publish(TOPIC, keyed(0..100)).await.unwrap();
    bus.publish(TOPIC, keyed(100..200)).await.unwrap();
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    let mut last: BTreeMap<String, (u32, i64, u32)> = BTreeMap::new();
    for record in read(&mut *consumer, 200).await {
        let place = (record.partition, record.offset, number(&record));
        if let Some(before) = last.insert(record.key, place) {
            assert_eq!(before.0, place.0);
            assert!(before.1 < place.1 && before.2 < place.2, "{before:?} {place:?}");
        }
    }
    assert_eq!(last.len(), 10);
    let partitions: std::collections::BTreeSet<u32> = last.values().map(|place| place.0).collect();
    assert!(partitions.len() > 1, "all keys have one partition");
}

pub async fn a_record_comes_as_it_was_written(engine: &Engine) {
    let bus = engine.with_topic(1).await;
    let value = br#"{"text": "\u00e4\n"}"#.to_vec();
    bus.publish(TOPIC, vec![Record { key: "a:b.c".to_owned(), value: value.clone() }]).await.unwrap();
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    let record = read(&mut *consumer, 1).await.remove(0);
    assert_eq!((record.topic.as_str(), record.partition), (TOPIC, 0));
    assert_eq!((record.key.as_str(), record.value), ("a:b.c", value));
}

pub async fn at_most_as_many_come_as_were_asked_for(engine: &Engine) {
    let bus = engine.with_topic(2).await;
    bus.publish(TOPIC, numbered(0..20)).await.unwrap();
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    let mut records = Vec::new();
    while records.len() < 20 {
        let batch = timeout(LONG, consumer.next(3)).await.unwrap().unwrap();
        assert!((1..=3).contains(&batch.len()), "{}", batch.len());
        records.extend(batch);
    }
    assert_eq!(numbers(&records), Vec::from_iter(0..20));
}

pub async fn who_waits_hears_of_a_record_soon(engine: &Engine) {
    let bus = engine.with_topic(1).await;
    bus.publish(TOPIC, numbered(0..1)).await.unwrap();
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    read(&mut *consumer, 1).await;
    for next in 1..5 {
        let waiting = tokio::spawn(async move {
            let record = some(&mut *consumer).await.remove(0);
            (consumer, record)
        });
        tokio::task::yield_now().await;
        bus.publish(TOPIC, numbered(next..next + 1)).await.unwrap();
        let (back, record) = timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
        consumer = back;
        assert_eq!(number(&record), next);
    }
}

pub async fn a_cancelled_wait_loses_nothing(engine: &Engine) {
    let bus = engine.with_topic(4).await;
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    // nothing is there before the first wait is cancelled, or a fast writer would leave none to cancel
    let (waited, begin) = oneshot::channel();
    let writing = tokio::spawn(async move {
        begin.await.unwrap();
        for first in (0..300).step_by(10) {
            bus.publish(TOPIC, numbered(first..first + 10)).await.unwrap();
        }
    });
    let mut records = Vec::new();
    let all = async {
        let (mut cancelled, mut waited) = (0, Some(waited));
        while records.len() < 300 {
            match timeout(Duration::from_millis(1), consumer.next(7)).await {
                Ok(batch) => records.extend(batch.unwrap()),
                Err(_) => {
                    cancelled += 1;
                    waited.take().map(|waited| waited.send(()));
                }
            }
        }
        cancelled
    };
    assert!(timeout(LONG, all).await.unwrap() > 0, "nothing was cancelled");
    writing.await.unwrap();
    assert_eq!(numbers(&records), Vec::from_iter(0..300));
    consumer.commit().await.unwrap();
}

pub async fn records_may_be_large(engine: &Engine) {
    let bus = engine.with_topic(2).await;
    let large = |number: u32| Record {
        key: format!("key-{number}"),
        value: vec![u8::try_from(number).unwrap(); 1 << 20],
    };
    bus.publish(TOPIC, (0..20).map(large).collect()).await.unwrap();
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    let mut records = read(&mut *consumer, 20).await;
    records.sort_by_key(|record| record.value[0]);
    for (number, record) in (0..).zip(records) {
        assert_eq!(record.value, large(number).value);
    }
}

pub async fn records_may_be_many(engine: &Engine) {
    let bus = engine.with_topic(4).await;
    let writers = (0..20).map(|writer: u32| {
        let bus = bus.clone();
        tokio::spawn(async move {
            let first = writer * 500;
            bus.publish(TOPIC, numbered(first..first + 500)).await.unwrap();
        })
    });
    for writer in Vec::from_iter(writers) {
        writer.await.unwrap();
    }
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    let records = read(&mut *consumer, 10_000).await;
    assert_eq!(numbers(&records), Vec::from_iter(0..10_000));
    consumer.commit().await.unwrap();
}

pub async fn what_is_too_large_is_refused(engine: &Engine) {
    let bus = engine.with_topic(1).await;
    let record = |key: usize, value: usize| vec![Record { key: "k".repeat(key), value: vec![0; value] }];
    for refused in [record(1, 2 << 20), record(2000, 1)] {
        let error = bus.publish(TOPIC, refused).await.unwrap_err();
        assert!(matches!(error, BusError::Refused(_)), "{error}");
    }
    bus.publish(TOPIC, record(1000, 3 << 19)).await.unwrap();
}
