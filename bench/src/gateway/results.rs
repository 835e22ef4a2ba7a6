//! The numbers of the gateway.

use serde::Serialize;

use super::{Outcome, Setup};
use crate::spread::Spread;

/// The finished table.
#[derive(Debug, Default, Serialize)]
pub struct Gateway {
    pub version: String,
    /// Of spool, record and logs.
    pub file_system: String,
    /// Microseconds for a block of 4 KiB to get onto it.
    pub sync: Spread,
    pub lines: Vec<Line>,
}

/// One row.
#[derive(Debug, Serialize)]
pub struct Line {
    pub setup: Setup,
    /// Of a round.
    pub messages: usize,
    /// Messages submitted and answered, a second.
    pub rate: Spread,
    /// Reports a second.
    pub reports: Spread,
    /// Milliseconds from handing in to the answer.
    pub p50: Spread,
    pub p99: Spread,
    /// CPU microseconds a message.
    pub gateway_cpu: Spread,
    pub carrier_cpu: Spread,
}

impl Line {
    pub fn new(setup: Setup, messages: usize, rounds: &[Outcome]) -> Self {
        let spread = |value: fn(&Outcome) -> f64| Spread::new(rounds.iter().map(value).collect());
        Self {
            setup,
            messages,
            rate: spread(|round| round.rate),
            reports: spread(|round| round.reports),
            p50: spread(|round| round.p50),
            p99: spread(|round| round.p99),
            gateway_cpu: spread(|round| round.gateway_cpu),
            carrier_cpu: spread(|round| round.carrier_cpu),
        }
    }
}
