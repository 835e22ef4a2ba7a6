//! The configuration: text → tree ([`settings`]) → `read` → [`Config`].

mod model;
mod read;
#[cfg(test)]
mod tests;
mod value;

use settings::{Fault, Faults};

pub use model::{Classes, Config, Log, Numbers, Operator, Token};

/// Reads the file, with the files of secrets that it names.
///
/// # Errors
/// Every fault at once.
pub fn read(text: &str) -> Result<Config, Vec<Fault>> {
    let tree = settings::parse(text).map_err(|fault| vec![*fault])?;
    let faults = Faults::default();
    let config = read::config(&tree, &faults);
    faults.conclude(text, config).map_err(|mut faults| {
        faults.iter_mut().for_each(|fault| runtime::config::mask(fault, &["token", "password"]));
        faults
    })
}
