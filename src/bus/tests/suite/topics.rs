//! Topics, and the bus itself.

use bus::{BusError, Metrics, metered};
use runtime::register::Register;

use crate::kit::*;

pub async fn topics_are_made_once_and_do_not_grow(engine: &Engine) {
    let bus = engine.with_topic(3).await;
    bus.publish(TOPIC, numbered(0..5)).await.unwrap();
    bus.ensure(&[topic(TOPIC, 3), topic("other", 1)]).await.unwrap();
    bus.ensure(&[topic(TOPIC, 2)]).await.unwrap();
    let other = engine.open("two").await;
    for bus in [&bus, &other] {
        let error = bus.ensure(&[topic(TOPIC, 5)]).await.unwrap_err();
        assert!(matches!(&error, BusError::Refused(text) if text.contains("3 partitions")), "{error}");
    }
    let mut consumer = other.subscribe("group", &[TOPIC]).await.unwrap();
    assert_eq!(numbers(&read(&mut *consumer, 5).await), Vec::from_iter(0..5));
}

pub async fn a_wrong_name_is_refused(engine: &Engine) {
    let bus = engine.open("one").await;
    for name in ["", "a/b", "../a", ".a", "a b", &"a".repeat(250)] {
        let error = bus.ensure(&[topic(name, 1)]).await.unwrap_err();
        assert!(matches!(error, BusError::Refused(_)), "{name}: {error}");
        let error = bus.publish(name, numbered(0..1)).await.unwrap_err();
        assert!(matches!(error, BusError::Refused(_)), "{name}: {error}");
    }
    let error = bus.ensure(&[topic("a", 0)]).await.unwrap_err();
    assert!(matches!(error, BusError::Refused(_)), "{error}");
}

pub async fn a_topic_that_is_missing_is_refused(engine: &Engine) {
    let bus = engine.with_topic(1).await;
    let error = bus.subscribe("group", &[TOPIC, "missing"]).await.err().unwrap();
    assert_eq!(error, BusError::Refused("there is no topic missing".to_owned()));
}

pub async fn it_answers(engine: &Engine) {
    let bus = engine.with_topic(1).await;
    bus.ping().await.unwrap();
}

pub async fn what_happens_is_counted(engine: &Engine) {
    let registry = prometheus::Registry::new();
    let metrics = Metrics::register(Register { registry: &registry, namespace: "smsline_try" }).unwrap();
    let bus = metered(engine.with_topic(1).await, metrics);
    bus.publish(TOPIC, numbered(0..3)).await.unwrap();
    bus.publish("a/b", numbered(0..3)).await.unwrap_err();
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    read(&mut *consumer, 3).await;
    let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    for line in [
        "smsline_try_bus_published_total{topic=\"smsline.try\"} 3",
        "smsline_try_bus_consumed_total{topic=\"smsline.try\"} 3",
        "smsline_try_bus_errors_total{what=\"publish\"} 1",
        "smsline_try_bus_publish_seconds_count 1",
    ] {
        assert!(text.contains(line), "no {line} in\n{text}");
    }
}
