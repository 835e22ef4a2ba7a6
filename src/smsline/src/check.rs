//! `smsline check`.

use std::path::Path;
use std::process::ExitCode;

use settings::Fault;

use crate::args::Role as Named;
use crate::role::{Carrier, Center, Empi, Gateway, Role, Uaop};
use crate::{SMSLINE, all};

/// Names every fault of a file of the role.
pub fn check(role: Named, file: &Path, json: bool) -> ExitCode {
    let text = match SMSLINE.read_config(file) {
        Ok(text) => text,
        Err(code) => return code,
    };
    let faults = match role {
        Named::Empi => faults::<Empi>(&text),
        Named::Uaop => faults::<Uaop>(&text),
        Named::Gateway => faults::<Gateway>(&text),
        Named::Center => faults::<Center>(&text),
        Named::Carrier => faults::<Carrier>(&text),
        Named::All => all::read(&text).err().unwrap_or_default(),
    };
    SMSLINE.checked(file, &faults, json)
}

fn faults<R: Role>(text: &str) -> Vec<Fault> {
    R::read(text).err().unwrap_or_default()
}
