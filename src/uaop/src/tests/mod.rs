//! What the tests of the stages share.

mod line;
mod scene;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config;

/// A gateway of the carrier `mobile`.
pub(crate) fn gateway(name: &str) -> config::Gateway {
    config::Gateway {
        name: name.parse().unwrap(),
        carrier: "mobile".parse().unwrap(),
        accounts: BTreeMap::new(),
        line: link::LineSettings {
            server: settings::Address::Socket("127.0.0.1:1".parse().unwrap()),
            connect: Duration::from_secs(1),
            silence: Duration::from_secs(3),
            reconnect: (Duration::from_millis(10), Duration::from_millis(50)),
            window: 4096,
        },
    }
}

/// An event of gateway `cm-1`, as it stores it.
pub(crate) fn event(account: &str, connection: u32) -> Vec<u8> {
    let event = domain::Event {
        gateway: "cm-1".parse().unwrap(),
        epoch: domain::Millis(1),
        account: account.parse().unwrap(),
        at: domain::Millis(2),
        happened: domain::Happened::LinkUp { connection },
    };
    serde_json::to_vec(&event).unwrap()
}

/// A message to a number of the carrier `mobile`.
pub(crate) fn submission(id: &str) -> domain::Submission {
    serde_json::from_value(serde_json::json!({
        "uaop_id": id, "empi_id": "bank-1", "class": "notice", "to": "13800138000", "text": "hi"
    }))
    .unwrap()
}
