//! The role `empi`.

pub mod config;
mod run;

pub use config::Config;
pub use run::run;
