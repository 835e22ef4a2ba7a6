//! `lb check`.

use std::path::Path;
use std::process::ExitCode;

use super::{WRONG_CONFIG, print_faults, read_config, say};
use crate::host;

pub(super) fn check(file: &Path, node: Option<&str>, json: bool) -> ExitCode {
    let text = match read_config(file) {
        Ok(text) => text,
        Err(code) => return code,
    };
    let faults = host::check(&text, node).err().unwrap_or_default();
    if json {
        say(&serde_json::to_string_pretty(&faults).unwrap_or_default());
    } else if faults.is_empty() {
        say(&format!("{}: no faults", file.display()));
    } else {
        super::complain(&format!("{}:", file.display()));
        print_faults(&faults);
    }
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(WRONG_CONFIG) }
}
