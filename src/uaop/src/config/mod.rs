//! The configuration file.

use settings::Fault;

/// What the file says, with every default filled in; needs no further checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub log: Log,
}

/// `log:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub format: runtime::logging::Format,
    pub level: String,
}

/// Reads the file.
///
/// # Errors
/// Every fault at once.
pub fn read(_text: &str) -> Result<Config, Vec<Fault>> {
    unimplemented!()
}
