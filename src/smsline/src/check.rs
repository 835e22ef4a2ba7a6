//! `smsline check`.

use std::path::Path;
use std::process::ExitCode;

use crate::SMSLINE;
use crate::role::Role;

/// Names every fault of a file of the role.
pub fn check<R: Role>(file: &Path, json: bool) -> ExitCode {
    let text = match SMSLINE.read_config(file) {
        Ok(text) => text,
        Err(code) => return code,
    };
    let faults = R::read(&text).err().unwrap_or_default();
    SMSLINE.checked(file, &faults, json)
}
