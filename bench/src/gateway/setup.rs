//! The rows of the gateway.

use serde::Serialize;

/// Messages in one request of the uplink.
const BATCH: usize = 500;
/// As [`BATCH`], of a row with a fixed rate.
const PACED_BATCH: usize = 20;
/// Messages a second that the length of a round is made for.
const EXPECTED: u32 = 20_000;

/// How gateway and carrier are set up, and how messages come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Setup {
    pub name: &'static str,
    pub connections: u32,
    /// Unanswered requests on each, in each direction.
    pub window: u32,
    /// From a submit to its answer, as the carrier's file has it.
    pub answer: &'static str,
    /// Messages a second that come; `None`: as fast as the gateway takes them.
    pub rate: Option<u32>,
}

/// In the order of the report.
pub const SETUPS: [Setup; 6] = [
    Setup { name: "gateway-1x16", connections: 1, window: 16, answer: "0ms", rate: None },
    Setup { name: "gateway-1x128", connections: 1, window: 128, answer: "0ms", rate: None },
    Setup { name: "gateway-4x16", connections: 4, window: 16, answer: "0ms", rate: None },
    Setup { name: "gateway-4x128", connections: 4, window: 128, answer: "0ms", rate: None },
    Setup {
        name: "gateway-slow-carrier",
        connections: 4,
        window: 16,
        answer: "median 5ms, p99 20ms",
        rate: None,
    },
    Setup { name: "gateway-fixed-rate", connections: 4, window: 16, answer: "0ms", rate: Some(2_000) },
];

impl Setup {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SETUPS.iter().find(|setup| setup.name == name)
    }

    /// Messages in one request of the uplink.
    pub fn batch(&self) -> usize {
        if self.rate.is_some() { PACED_BATCH } else { BATCH }
    }

    /// Messages of a round that is to measure for so many seconds.
    pub fn messages(&self, seconds: f64) -> usize {
        let rate = f64::from(self.rate.unwrap_or(EXPECTED));
        let batch = self.batch();
        (rate * seconds / batch as f64).ceil() as usize * batch
    }

    /// For the report.
    pub fn title(&self) -> String {
        let Self { connections, window, answer, rate, .. } = self;
        let carrier = if *answer == "0ms" { String::new() } else { format!(", carrier: {answer}") };
        let rate = rate.map_or_else(String::new, |rate| format!(", {rate} messages/s come"));
        format!("{connections} × {window}{carrier}{rate}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_made_of_whole_batches() {
        for setup in SETUPS {
            assert!(setup.messages(0.013) > 0);
            assert_eq!(setup.messages(0.013) % setup.batch(), 0);
        }
    }

    #[test]
    fn every_name_is_its_own() {
        for setup in &SETUPS {
            assert_eq!(Setup::named(setup.name), Some(setup));
        }
    }
}
