//! The families of connections, and the handles of one: looked up once.

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};
use runtime::register::Register;

const CONNECTION: &[&str] = &["account", "connection"];

/// All families of connections.
#[derive(Clone, Debug)]
pub struct ConnectionFamilies {
    up: IntGaugeVec,
    attempts: IntCounterVec,
    ends: IntCounterVec,
    submits: IntCounterVec,
    repeats: IntCounterVec,
    window_used: IntGaugeVec,
    answer_seconds: HistogramVec,
    oddities: IntCounterVec,
}

impl ConnectionFamilies {
    /// Registers every family.
    ///
    /// # Errors
    /// When two families share a name.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let register = Register { registry, namespace: "gateway" };
        Ok(Self {
            up: register.int_gauges(
                "connection_up",
                "1 while submits can be given to the connection; of a listener, the sessions of the carrier.",
                CONNECTION,
            )?,
            attempts: register.counters(
                "connection_attempts_total",
                "Tries to connect and log in, by outcome: up, failed, refused.",
                &["account", "connection", "outcome"],
            )?,
            ends: register.counters(
                "connection_ends_total",
                "Ends of sessions that were up, by reason.",
                &["account", "connection", "reason"],
            )?,
            submits: register.counters("submits_total", "Submits sent.", CONNECTION)?,
            repeats: register.counters(
                "submit_repeats_total",
                "Submits sent again because no answer came in time.",
                CONNECTION,
            )?,
            window_used: register.int_gauges("window_used", "Submits sent and not answered.", CONNECTION)?,
            answer_seconds: register.histograms(
                "answer_seconds",
                "From a submit to its answer.",
                CONNECTION,
                vec![0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0, 60.0],
            )?,
            oddities: register.counters(
                "oddities_total",
                "What the carrier should not send, by kind.",
                &["account", "connection", "kind"],
            )?,
        })
    }

    /// The handles of one connection; `connection` is its position, or `listen`.
    #[must_use]
    pub fn of(&self, account: &domain::Account, connection: &str) -> ConnectionMetrics {
        let name = account.as_str();
        let labels = [name, connection];
        let counters =
            |family: &IntCounterVec, word: &str| family.with_label_values(&[name, connection, word]);
        ConnectionMetrics {
            up: self.up.with_label_values(&labels),
            attempts: Attempt::ALL.map(|attempt| counters(&self.attempts, attempt.word())),
            ends: End::ALL.map(|end| counters(&self.ends, end.word())),
            submits: self.submits.with_label_values(&labels),
            repeats: self.repeats.with_label_values(&labels),
            window_used: self.window_used.with_label_values(&labels),
            answer_seconds: self.answer_seconds.with_label_values(&labels),
            oddities: Odd::ALL.map(|odd| counters(&self.oddities, odd.word())),
        }
    }
}

/// What one connection counts.
#[derive(Clone, Debug)]
pub struct ConnectionMetrics {
    pub up: IntGauge,
    attempts: [IntCounter; Attempt::ALL.len()],
    ends: [IntCounter; End::ALL.len()],
    pub submits: IntCounter,
    pub repeats: IntCounter,
    pub window_used: IntGauge,
    pub answer_seconds: Histogram,
    oddities: [IntCounter; Odd::ALL.len()],
}

impl ConnectionMetrics {
    #[must_use]
    pub fn attempts(&self, outcome: Attempt) -> &IntCounter {
        &self.attempts[outcome as usize]
    }

    #[must_use]
    pub fn ends(&self, reason: End) -> &IntCounter {
        &self.ends[reason as usize]
    }

    #[must_use]
    pub fn oddities(&self, kind: Odd) -> &IntCounter {
        &self.oddities[kind as usize]
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident: $word:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum $name {
            $($variant),*
        }

        impl $name {
            /// In the order of their numbers.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$variant),*];

            /// The value of the label.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),*
                }
            }
        }
    )*};
}

words! {
    /// What came of a try to connect and log in.
    Attempt {
        Up: "up",
        Failed: "failed",
        Refused: "refused",
    }
    /// Why a session ended.
    End {
        Stopped: "stopped",
        Idle: "idle",
        PeerTerminated: "peer_terminated",
        Closed: "closed",
        Error: "error",
        ProbesUnanswered: "probes_unanswered",
        OutOfStep: "out_of_step",
        UnknownCommand: "unknown_command",
        Login: "login",
    }
    /// What a peer should not send.
    Odd {
        Stray: "stray",
        Malformed: "malformed",
        Unknown: "unknown",
        NotServed: "not_served",
        SequenceReused: "sequence_reused",
        RequestRepeated: "request_repeated",
        WindowExceeded: "window_exceeded",
        UnreadableReport: "unreadable_report",
        WrongAnswer: "wrong_answer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_own_counter() {
        let families = ConnectionFamilies::new(&Registry::new()).unwrap();
        let metrics = families.of(&"cm".parse().unwrap(), "0");
        for odd in Odd::ALL {
            metrics.oddities(odd).inc();
            assert_eq!(families.oddities.with_label_values(&["cm", "0", odd.word()]).get(), 1, "{odd:?}");
        }
        for end in End::ALL {
            metrics.ends(end).inc();
            assert_eq!(families.ends.with_label_values(&["cm", "0", end.word()]).get(), 1, "{end:?}");
        }
        for attempt in Attempt::ALL {
            metrics.attempts(attempt).inc();
            assert_eq!(
                families.attempts.with_label_values(&["cm", "0", attempt.word()]).get(),
                1,
                "{attempt:?}"
            );
        }
    }
}
