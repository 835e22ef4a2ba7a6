//! Where the bus is: `bus:` in the files of the roles.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use settings::{Problem, Section, Setting, between, format_duration, is_host_name, unbracket};

use crate::embedded::Embedded;
use crate::kafka::Brokers;
use crate::{Bus, BusError};

const ADVICE: &str = "add `bus: { embedded: FOLDER }`, or `bus: { kafka: { brokers: [\"HOST:PORT\"] } }`";
const PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE_LEAST: Duration = Duration::from_millis(100);
const PATIENCE_MOST: Duration = Duration::from_secs(300);
/// How long records are kept, read or not.
const KEEP: Duration = Duration::from_secs(7 * 86_400);

/// One of the two engines.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A folder that all processes of this host share.
    Embedded {
        folder: PathBuf,
    },
    Kafka(Kafka),
}

/// Brokers that speak Kafka's protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct Kafka {
    /// `host:port` each.
    pub brokers: Vec<String>,
    /// How long a record may wait until it is durable.
    pub patience: Duration,
    /// Of topics that are made.
    pub replicas: u16,
}

impl Place {
    /// Reads `bus:` of a section: `{ embedded: FOLDER }` or `{ kafka: { brokers, … } }`.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let Some(mut bus) = section.section("bus") else {
            if !section.has("bus") {
                section.missing("bus", ADVICE);
            }
            return None;
        };
        let (embedded, kafka) = (bus.has("embedded"), bus.has("kafka"));
        let place = match (embedded, kafka) {
            (true, false) => bus.required("embedded").map(|folder| Self::Embedded { folder }),
            (false, true) => bus.section("kafka").and_then(Kafka::read).map(Self::Kafka),
            (true, true) => {
                bus.node("embedded");
                bus.fault("kafka", Problem::new("there is one bus", "remove `embedded` or `kafka`"));
                bus.node("kafka");
                None
            }
            (false, false) => {
                bus.missing("embedded", ADVICE);
                None
            }
        };
        bus.finish();
        place
    }
}

impl Kafka {
    fn read(mut section: Section<'_>) -> Option<Self> {
        let brokers = section.items("brokers");
        if brokers.is_empty() {
            section.missing("brokers", "add `brokers: [\"kafka-1:9092\"]`, a few of the cluster's");
        }
        let wanted = brokers.len();
        let faults = section.faults();
        let read =
            |node| String::read(node).and_then(check_broker).map_err(|problem| faults.at(node, problem));
        let brokers: Vec<String> = brokers.into_iter().filter_map(|node| read(node).ok()).collect();
        let patience = section.checked("patience", PATIENCE, within_patience);
        let replicas = section.checked("replicas", 1, between(1, 9));
        section.finish();
        (wanted > 0 && brokers.len() == wanted).then_some(Self { brokers, patience, replicas })
    }
}

fn check_broker(broker: String) -> Result<String, Problem> {
    let port = broker.rsplit_once(':').filter(|(host, _)| {
        let bare = unbracket(host);
        bare.parse::<std::net::IpAddr>().is_ok() || is_host_name(bare)
    });
    match port.and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(1..) => Ok(broker),
        Some(0) | None => {
            Err(Problem::new("this is no broker", "write HOST:PORT, for instance \"kafka-1:9092\""))
        }
    }
}

fn within_patience(patience: &Duration) -> Result<(), Problem> {
    if (PATIENCE_LEAST..=PATIENCE_MOST).contains(patience) {
        return Ok(());
    }
    let (least, most) = (format_duration(PATIENCE_LEAST), format_duration(PATIENCE_MOST));
    Err(Problem::new("this is out of range", format!("write a duration from {least} to {most}")))
}

/// Opens the bus. `client` is this process's name there.
///
/// # Errors
/// Its files cannot be used. Brokers that are away are no error: what is asked of them is.
pub async fn open(place: &Place, client: &str) -> Result<Arc<dyn Bus>, BusError> {
    Ok(match place {
        Place::Embedded { folder } => Arc::new(Embedded::open(folder, KEEP, client).await?),
        Place::Kafka(kafka) => Arc::new(Brokers::open(kafka, KEEP, client)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<Place>, Vec<String>) {
        let root = settings::parse(text).unwrap();
        let faults = settings::Faults::default();
        let mut top = Section::open(&root, &faults).unwrap();
        let place = Place::read(&mut top);
        top.finish();
        (place, faults.into_vec().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_folder_is_enough() {
        let (place, faults) = read("bus: { embedded: /var/lib/smsline/bus }");
        assert_eq!(faults, [""; 0]);
        assert_eq!(place, Some(Place::Embedded { folder: "/var/lib/smsline/bus".into() }));
    }

    #[test]
    fn brokers_are_enough() {
        let (place, faults) = read("bus: { kafka: { brokers: [\"kafka-1:9092\", \"[2001:db8::1]:9092\"] } }");
        assert_eq!(faults, [""; 0]);
        let brokers = vec!["kafka-1:9092".to_owned(), "[2001:db8::1]:9092".to_owned()];
        let kafka = Kafka { brokers, patience: Duration::from_secs(10), replicas: 1 };
        assert_eq!(place, Some(Place::Kafka(kafka)));
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        let cases = [
            ("{}", "`bus` is missing"),
            ("bus: /var/lib", "bus: a section is expected"),
            ("bus: {}", "bus: `embedded` is missing"),
            ("bus: { embedded: relative }", "bus.embedded: this is not of the expected type"),
            ("bus: { embedded: /a, kafka: { brokers: [\"a:1\"] } }", "bus.kafka: there is one bus"),
            ("bus: { kafka: {} }", "bus.kafka: `brokers` is missing"),
            ("bus: { kafka: { brokers: [a] } }", "bus.kafka.brokers[0]: this is no broker"),
            ("bus: { kafka: { brokers: [\"a:0\"] } }", "bus.kafka.brokers[0]: this is no broker"),
            (
                "bus: { kafka: { brokers: [\"a:1\"], patience: 10ms } }",
                "bus.kafka.patience: this is out of range",
            ),
            (
                "bus: { kafka: { brokers: [\"a:1\"], replicas: 0 } }",
                "bus.kafka.replicas: this number is out of range",
            ),
            ("bus: { kafka: { brokers: [\"a:1\"], acks: 1 } }", "bus.kafka.acks: `acks` is not a key here"),
        ];
        for (text, fault) in cases {
            let (_, faults) = read(text);
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
            assert!(faults[0].contains(fault), "{text}: {faults:?}");
        }
    }
}
