//! What the configuration files of the programs have in common: what they need of the host, sections that each of them has,
//! secrets.

mod host;
mod secret;
mod sections;

pub use host::{Host, ThisHost};
pub use secret::{mask, secret, secret_file};
pub use sections::{Log, listen, log, log_lines, time_zone};
