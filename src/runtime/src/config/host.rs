//! What a file needs of the host that is to carry it out.

use std::path::Path;

use jiff::tz::{self, TimeZone};
use settings::Problem;

/// Whether this host has what a file names. Its answers are faults with their place, as all others.
pub trait Host {
    /// The program that the file is for; its name stands in advice.
    fn program(&self) -> &'static str;

    /// The host's name, for a process that is not given one.
    fn name(&self) -> Option<String>;

    /// The secret in a file, without the end of its line; `what` it is: "secret", "token", …
    ///
    /// # Errors
    /// Why this file cannot be read.
    fn secret_file(&self, file: &Path, what: &str) -> Result<String, Problem>;

    /// # Errors
    /// Why there is no such time zone.
    fn time_zone(&self, name: &str) -> Result<TimeZone, Problem>;
}

/// The host that this process runs on.
#[derive(Clone, Copy, Debug)]
pub struct ThisHost {
    pub program: &'static str,
}

impl Host for ThisHost {
    fn program(&self) -> &'static str {
        self.program
    }

    fn name(&self) -> Option<String> {
        nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok())
    }

    fn secret_file(&self, file: &Path, what: &str) -> Result<String, Problem> {
        super::secret_file(file, what, &format!("the {}'s user", self.program))
    }

    fn time_zone(&self, name: &str) -> Result<TimeZone, Problem> {
        match name {
            "Asia/Shanghai" => Ok(beijing()),
            _ => TimeZone::get(name).map_err(|error| {
                let advice = "write a name of the tz database such as Asia/Shanghai";
                Problem::new(format!("there is no such time zone here: {error}"), advice)
            }),
        }
    }
}

/// There on a host without data of time zones too: no summer time since 1991.
fn beijing() -> TimeZone {
    TimeZone::fixed(tz::offset(8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_zone_is_looked_up() {
        let host = ThisHost { program: "smsline" };
        assert_eq!(host.time_zone("Asia/Shanghai").unwrap(), beijing());
        assert!(host.time_zone("Asia/Nowhere").unwrap_err().problem.contains("no such time zone"));
    }
}
