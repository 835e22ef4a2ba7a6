//! What a file needs of the host that is to carry it out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jiff::tz::{self, TimeZone};
use settings::Problem;

/// Whether this host has what a file names. Its answers are faults with their place, as all others.
pub trait Host {
    /// Its name, for a process that is not given one.
    fn name(&self) -> Option<String>;

    /// The secret in a file, without the end of its line.
    ///
    /// # Errors
    /// Why this file cannot be read.
    fn secret_file(&self, file: &Path) -> Result<String, Problem>;

    /// # Errors
    /// Why there is no such time zone.
    fn time_zone(&self, name: &str) -> Result<TimeZone, Problem>;
}

/// The host that this process runs on.
#[derive(Clone, Copy, Debug)]
pub struct ThisHost;

impl Host for ThisHost {
    fn name(&self) -> Option<String> {
        nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok())
    }

    fn secret_file(&self, file: &Path) -> Result<String, Problem> {
        let unreadable = |error: std::io::Error| {
            let advice = "put the secret on the file's only line, and let the program's user read it";
            Problem::new(format!("this secret cannot be read: {error}"), advice)
        };
        let open_to_all = fs::metadata(file).map_err(unreadable)?.permissions().mode() & 0o007 != 0;
        if open_to_all {
            let advice = format!("chmod o= {}", file.display());
            return Err(Problem::new("every user of this host can read this secret", advice));
        }
        let text = fs::read_to_string(file).map_err(unreadable)?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn time_zone(&self, name: &str) -> Result<TimeZone, Problem> {
        match name {
            // there on a host without data of time zones too: no summer time since 1991
            "Asia/Shanghai" => Ok(TimeZone::fixed(tz::offset(8))),
            _ => TimeZone::get(name).map_err(|error| {
                let advice = "write a name of the tz database such as Asia/Shanghai";
                Problem::new(format!("there is no such time zone here: {error}"), advice)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_the_line_of_a_file_that_not_everybody_can_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        fs::write(&file, "s3cret \n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(ThisHost.secret_file(&file).unwrap_err().problem.contains("every user"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(ThisHost.secret_file(&file).unwrap(), "s3cret ");
        assert!(
            ThisHost.secret_file(&dir.path().join("none")).unwrap_err().problem.contains("cannot be read")
        );
    }

    #[test]
    fn a_time_zone_is_looked_up() {
        assert!(ThisHost.time_zone("Asia/Shanghai").is_ok());
        assert!(ThisHost.time_zone("Asia/Nowhere").unwrap_err().problem.contains("no such time zone"));
    }
}
