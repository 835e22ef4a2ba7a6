//! The configuration file: text → tree (`settings`) → `read` (section by section) → `rules` (what no section can see
//! alone) → [`Config`].

mod model;
mod read;
mod routes;
mod rules;
#[cfg(test)]
mod tests;
mod value;

use settings::{Fault, Faults};

pub use model::*;

/// Reads the file.
///
/// # Errors
/// Every fault at once, in the file's order.
pub fn read(text: &str) -> Result<Config, Vec<Fault>> {
    let tree = settings::parse(text).map_err(|fault| vec![*fault])?;
    let faults = Faults::default();
    let config = read::config(&tree, &faults);
    if let Some(config) = &config {
        rules::check(config, &tree, &faults);
    }
    faults.conclude(text, config)
}
