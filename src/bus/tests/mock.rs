//! Errors of brokers, one by one, on librdkafka's own imitation of a cluster.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod kit;

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, BusError};
use kit::*;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use tokio::time::{Instant, timeout};

type Cluster = MockCluster<'static, DefaultProducerContext>;

const PATIENCE: Duration = Duration::from_secs(3);

/// One broker with [`TOPIC`].
async fn cluster() -> (Cluster, Arc<dyn Bus>) {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 1, 1).unwrap();
    let bus = kafka(&cluster.bootstrap_servers(), PATIENCE).await;
    (cluster, bus)
}

#[tokio::test]
async fn what_passes_is_tried_again_unseen() {
    let (cluster, bus) = cluster().await;
    let errors = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION; 2];
    cluster.request_errors(RDKafkaApiKey::Produce, &errors);
    bus.publish(TOPIC, numbered(0..10)).await.unwrap();
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    assert_eq!(numbers(&read(&mut *consumer, 10).await), Vec::from_iter(0..10));
}

#[tokio::test]
async fn what_is_not_allowed_is_refused() {
    let (cluster, bus) = cluster().await;
    let error = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED];
    cluster.request_errors(RDKafkaApiKey::Produce, &error);
    let refused = bus.publish(TOPIC, numbered(0..1)).await.unwrap_err();
    assert!(matches!(refused, BusError::Refused(_)), "{refused}");
}

#[tokio::test]
async fn a_producer_that_cannot_go_on_is_replaced() {
    let (cluster, bus) = cluster().await;
    let fatal = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED];
    cluster.request_errors(RDKafkaApiKey::InitProducerId, &fatal);
    bus.publish(TOPIC, numbered(0..1)).await.unwrap_err();
    bus.publish(TOPIC, numbered(0..1)).await.unwrap();
}

#[tokio::test]
async fn while_the_cluster_is_away_there_is_an_error_in_time_and_afterwards_all_goes_on() {
    let (cluster, bus) = cluster().await;
    bus.publish(TOPIC, numbered(0..1)).await.unwrap();
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    read(&mut *consumer, 1).await;
    consumer.commit().await.unwrap();

    cluster.broker_down(1).unwrap();
    let asked = Instant::now();
    let away = bus.publish(TOPIC, numbered(1..2)).await.unwrap_err();
    assert!(matches!(away, BusError::Away(_)), "{away}");
    assert!(asked.elapsed() < 2 * PATIENCE, "{:?}", asked.elapsed());
    assert!(matches!(bus.ping().await, Err(BusError::Away(_))));
    assert!(matches!(bus.subscribe("group", &[TOPIC]).await, Err(BusError::Away(_))));

    cluster.broker_up(1).unwrap();
    bus.publish(TOPIC, numbered(2..3)).await.unwrap();
    read_all(&mut *consumer, 2..3).await;
    consumer.commit().await.unwrap();
    bus.ping().await.unwrap();
}

#[tokio::test]
async fn a_commit_that_fails_can_be_made_again() {
    let (cluster, bus) = cluster().await;
    bus.publish(TOPIC, numbered(0..5)).await.unwrap();
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    read(&mut *consumer, 5).await;
    let error = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS];
    cluster.request_errors(RDKafkaApiKey::OffsetCommit, &error);
    let failed = consumer.commit().await.unwrap_err();
    assert!(matches!(failed, BusError::Away(_)), "{failed}");
    timeout(LONG, consumer.commit()).await.unwrap().unwrap();
    drop(consumer);
    bus.publish(TOPIC, numbered(5..6)).await.unwrap();
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    assert_eq!(numbers(&read(&mut *consumer, 1).await), [5]);
}

#[tokio::test]
async fn to_open_it_needs_no_broker() {
    let nobody = testkit::ports::reserve().unwrap();
    let bus = kafka(&nobody.address().to_string(), Duration::from_millis(300)).await;
    assert!(matches!(bus.ping().await, Err(BusError::Away(_))));
    assert!(matches!(bus.publish(TOPIC, numbered(0..1)).await, Err(BusError::Away(_))));
    assert!(matches!(bus.ensure(&[topic(TOPIC, 1)]).await, Err(BusError::Away(_))));
}
