//! The configuration: what a file means, and what is wrong with it.
//!
//! Text → tree ([`settings`]) → `read` (one file per section) → `rules` (what no section can see alone) → [`Config`].

mod model;
mod read;
mod rules;
#[cfg(test)]
mod tests;

use runtime::config::{Host, ThisHost};
use settings::{Fault, Faults};

pub use model::*;

/// Reads the file for this host.
///
/// # Errors
/// Every fault at once, in the file's order.
pub fn read(text: &str) -> Result<Config, Vec<Fault>> {
    read_for(text, &ThisHost { program: "empi" })
}

/// As [`read()`], for a file that `host` is to carry out.
///
/// # Errors
/// As [`read()`].
pub fn read_for(text: &str, host: &dyn Host) -> Result<Config, Vec<Fault>> {
    let tree = settings::parse(text).map_err(|fault| vec![*fault])?;
    let faults = Faults::default();
    let config = read::config(&tree, &faults, host);
    if let Some(config) = &config {
        rules::check(config, &tree, &faults);
    }
    faults.conclude(text, config).map_err(|mut faults| {
        faults.iter_mut().for_each(|fault| runtime::config::mask(fault, &["secret", "token", "password"]));
        faults
    })
}
