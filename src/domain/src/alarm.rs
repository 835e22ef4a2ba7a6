//! What somebody must know, wherever it was noticed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Millis;

/// How soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Messages are held up or refused.
    Critical,
    /// It works, in another way than it should: on a backup, for instance.
    Warning,
    /// For the record.
    Info,
}

/// One alarm. Several processes may see the same thing: `what` and `of` together are its identity, and the center shows
/// each once, with all who saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What kind of thing: `pool_switched`, `gateway_down`, … A metric label.
    pub what: String,
    /// What it is about: the gateway, the account, the pool.
    pub of: String,
    pub severity: Severity,
    /// `false`: it is over.
    pub raised: bool,
    /// Who noticed: the role and the name of the process.
    pub role: String,
    pub node: String,
    /// Where: its data centre.
    pub site: String,
    /// For people. Never a number or a text of a message.
    pub text: String,
    pub at: Millis,
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.raised { "raised" } else { "over" };
        write!(
            f,
            "{} {} {state}: {} ({} {} in {})",
            self.what, self.of, self.text, self.role, self.node, self.site
        )
    }
}
