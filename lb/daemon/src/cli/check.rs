//! `lb check`.

use std::path::Path;
use std::process::ExitCode;

use super::LB;
use crate::host;

pub(super) fn check(file: &Path, node: Option<&str>, json: bool) -> ExitCode {
    let text = match LB.read_config(file) {
        Ok(text) => text,
        Err(code) => return code,
    };
    let faults = host::check(&text, node).err().unwrap_or_default();
    LB.checked(file, &faults, json)
}
