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
    let mut faults = faults.into_vec();
    match config {
        Some(config) if faults.is_empty() => Ok(config),
        _ => {
            settings::add_lines(text, &mut faults);
            faults.sort_by_key(|fault| fault.line);
            faults.iter_mut().for_each(value::mask);
            Err(faults)
        }
    }
}
