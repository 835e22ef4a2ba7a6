//! How an offer ends here.

use link::Verdict;

/// What an EMPI is told, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A gateway has it, and its copy is durable.
    Taken { duplicate: bool },
    /// The gateway will never send it.
    Refused(String),
    /// No carrier has the number.
    UnknownNumber(String),
    /// The file has no route for it.
    NoRoute(String),
    /// No gateway of its route takes messages.
    NoGateway(String),
    /// The gateways of its route do not take it now.
    PutOff(String),
    /// A gateway that cannot be asked may have it.
    Doubt(String),
    /// The bus is away: there would be no copy of it.
    Bus(String),
    /// A gateway has it, and its copy is not durable.
    NoCopy(String),
    /// Too many offers are under way.
    Busy,
    /// This UAOP ends.
    Stopping,
}

impl Outcome {
    /// As the metrics and the log have it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Taken { duplicate: false } => "taken",
            Self::Taken { duplicate: true } => "duplicate",
            Self::Refused(_) => "refused",
            Self::UnknownNumber(_) => "unknown_number",
            Self::NoRoute(_) => "no_route",
            Self::NoGateway(_) => "no_gateway",
            Self::PutOff(_) => "put_off",
            Self::Doubt(_) => "doubt",
            Self::Bus(_) => "bus_away",
            Self::NoCopy(_) => "no_copy",
            Self::Busy => "busy",
            Self::Stopping => "stopping",
        }
    }

    #[must_use]
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Taken { duplicate } => Verdict::Taken { duplicate },
            Self::Refused(reason) | Self::UnknownNumber(reason) => Verdict::Refused { reason },
            Self::NoRoute(reason) | Self::NoGateway(reason) | Self::PutOff(reason) => {
                Verdict::Later { reason }
            }
            Self::Doubt(reason) => Verdict::InDoubt { reason },
            Self::NoCopy(reason) => {
                Verdict::InDoubt { reason: format!("it has no copy on the bus: {reason}") }
            }
            Self::Bus(reason) => Verdict::Later { reason: format!("the bus is away: {reason}") },
            Self::Busy => Verdict::Later { reason: "too many messages are under way here".to_owned() },
            Self::Stopping => Verdict::Later { reason: "this UAOP stops".to_owned() },
        }
    }

    /// For the log.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Taken { .. } | Self::Busy | Self::Stopping => None,
            Self::Refused(reason)
            | Self::UnknownNumber(reason)
            | Self::NoRoute(reason)
            | Self::NoGateway(reason)
            | Self::PutOff(reason)
            | Self::Doubt(reason)
            | Self::Bus(reason)
            | Self::NoCopy(reason) => Some(reason),
        }
    }
}
