//! `smsline all`: several roles in one process, out of one file.

mod config;
mod section;
mod threads;

use std::path::Path;
use std::process::ExitCode;

pub use config::{Config, read};

use crate::serve::process;
use crate::{SMSLINE, fail};

/// Serves every role of the file until a signal ends it.
pub fn serve(file: &Path) -> ExitCode {
    let text = match SMSLINE.read_config(file) {
        Ok(text) => text,
        Err(code) => return code,
    };
    match read(&text) {
        Ok(config) => {
            let log = (config.format, config.level.clone());
            let outcome = process(log, "all", file, |stop| threads::run(config, stop));
            outcome.map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS)
        }
        Err(faults) => SMSLINE.refuse(format_args!("{}:", file.display()), &faults),
    }
}
