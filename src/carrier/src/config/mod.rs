//! The configuration: what a file means, and what is wrong with it.

mod account;
mod behaviour;
mod model;
mod process;
#[cfg(test)]
mod tests;
mod value;

use settings::{Fault, Faults, Path};

use crate::behaviour::Behaviour;

pub use model::*;

/// Reads the file.
///
/// # Errors
/// Every fault, in the file's order.
pub fn read(text: &str) -> Result<Config, Vec<Fault>> {
    let root = settings::parse(text).map_err(|fault| vec![*fault])?;
    let faults = Faults::default();
    let config = process::config(&root, &faults);
    faults.conclude(text, config)
}

/// Reads a behaviour of an account alone, as YAML or JSON; what it does not name is as in the file.
///
/// # Errors
/// Every fault, in the text's order.
pub fn read_behaviour(text: &str, account: &Account) -> Result<Behaviour, Vec<Fault>> {
    let root = settings::parse(text).map_err(|fault| vec![*fault])?;
    let faults = Faults::default();
    let behaviour = behaviour::behaviour(Some(&root), &faults, &account.behaviour);
    let place = |key: &str| Path::default().key(key);
    behaviour::check(&behaviour, &account.name, &account.protocol, place, &faults);
    faults.conclude(text, Some(behaviour))
}
