//! Where the bus is: `bus:` in the files of the roles.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use settings::Section;

use crate::{Bus, BusError};

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
    pub fn read(_section: &mut Section<'_>) -> Option<Self> {
        unimplemented!()
    }
}

/// Opens the bus. `client` is this process's name there.
///
/// # Errors
/// Its files cannot be used. Brokers that are away are no error: what is asked of them is.
pub async fn open(_place: &Place, _client: &str) -> Result<Arc<dyn Bus>, BusError> {
    unimplemented!()
}
