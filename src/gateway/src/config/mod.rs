//! The configuration: what a file means, and what is wrong with it.
//!
//! Text → tree ([`settings`]) → `read` (one file per section) → `rules` (what no section can see alone) → [`Config`].

mod host;
mod model;
mod read;
mod rules;
#[cfg(test)]
mod tests;

use runtime::config::Host;
use settings::{Fault, Faults};

pub use model::*;

/// Reads a file by itself: what it needs of the host (files of secrets, the data of time zones) is taken to be there.
///
/// # Errors
/// Every fault of the file, in the file's order.
pub fn read(text: &str) -> Result<Config, Vec<Fault>> {
    read_for(text, &host::AnyHost)
}

/// As [`read()`], for a file that `host` is to carry out.
///
/// # Errors
/// As [`read()`], and what the host has not.
pub fn read_for(text: &str, host: &dyn Host) -> Result<Config, Vec<Fault>> {
    let tree = settings::parse(text).map_err(|fault| vec![*fault])?;
    let faults = Faults::default();
    let config = read::config(&tree, &faults, host);
    if let Some(config) = &config {
        rules::check(config, &tree, &faults);
    }
    faults.conclude(text, config).map_err(|mut faults| {
        faults.iter_mut().for_each(|fault| runtime::config::mask(fault, &["secret", "password"]));
        faults
    })
}
