//! The metrics of a pool.

use prometheus::{IntCounter, IntGauge};
use runtime::register::Register;

use super::core::Core;
use crate::{LineError, Verdict};

#[derive(Debug)]
pub(super) struct Metrics {
    /// In the order of the settings.
    servers: Vec<Server>,
    pub retries: IntCounter,
}

#[derive(Debug)]
struct Server {
    up: IntGauge,
    lanes: IntGauge,
    taken: IntCounter,
    duplicate: IntCounter,
    later: IntCounter,
    refused: IntCounter,
    down: IntCounter,
    lost: IntCounter,
}

impl Metrics {
    pub(super) fn new<'a>(
        register: &Register<'_>,
        servers: impl Iterator<Item = &'a str>,
    ) -> prometheus::Result<Self> {
        let up = register.int_gauges("link_server_up", "Whether the server is usable.", &["server"])?;
        let lanes =
            register.int_gauges("link_server_lanes", "Lanes of 32 that use the server.", &["server"])?;
        let offers = register.counters(
            "link_offers_total",
            "Messages that were offered to the server, by what it said: taken, duplicate, later, refused; down: it could \
             not be reached; lost: the connection broke before.",
            &["server", "verdict"],
        )?;
        let retries = register.counter(
            "link_retries_total",
            "Messages that were offered once more, to another server at once or after a pause.",
        )?;
        let servers = servers
            .map(|name| Server {
                up: up.with_label_values(&[name]),
                lanes: lanes.with_label_values(&[name]),
                taken: offers.with_label_values(&[name, "taken"]),
                duplicate: offers.with_label_values(&[name, "duplicate"]),
                later: offers.with_label_values(&[name, "later"]),
                refused: offers.with_label_values(&[name, "refused"]),
                down: offers.with_label_values(&[name, "down"]),
                lost: offers.with_label_values(&[name, "lost"]),
            })
            .collect();
        Ok(Self { servers, retries })
    }

    pub(super) fn show(&self, core: &Core) {
        for (shown, server) in self.servers.iter().zip(core.servers()) {
            shown.up.set(i64::from(server.up));
            shown.lanes.set(i64::try_from(core.lanes_on(server.id)).unwrap_or(i64::MAX));
        }
    }

    pub(super) fn answered(&self, server: usize, offers: usize, answer: &Result<Vec<Verdict>, LineError>) {
        let Some(server) = self.servers.get(server) else { return };
        match answer {
            Ok(verdicts) => {
                for verdict in verdicts {
                    match verdict {
                        Verdict::Taken { duplicate: false } => server.taken.inc(),
                        Verdict::Taken { duplicate: true } => server.duplicate.inc(),
                        Verdict::Later { .. } | Verdict::InDoubt { .. } => server.later.inc(),
                        Verdict::Refused { .. } => server.refused.inc(),
                    }
                }
            }
            Err(LineError::Down(_)) => server.down.inc_by(offers as u64),
            Err(LineError::Lost(_)) => server.lost.inc_by(offers as u64),
            Err(LineError::Failed(_)) => server.later.inc_by(offers as u64),
        }
    }
}
