//! What a file needs of the host that is to carry it out.

use std::path::Path;

use settings::Problem;

/// Whether this host has what a file names. Its answers are faults with their place, as all others.
pub trait Host {
    /// # Errors
    /// Why this program cannot be run.
    fn program(&self, program: &Path) -> Result<(), Problem>;

    /// # Errors
    /// Why this is no file of certificates that can be read.
    fn ca_file(&self, file: &Path) -> Result<(), Problem>;

    /// The secret in a key's file.
    ///
    /// # Errors
    /// Why this file cannot be read.
    fn key_file(&self, file: &Path) -> Result<Vec<u8>, Problem>;

    /// # Errors
    /// Why this is no filter of log lines.
    fn log_filter(&self, filter: &str) -> Result<(), Problem>;
}

/// For a file that is looked at by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnyHost;

impl Host for AnyHost {
    fn program(&self, _: &Path) -> Result<(), Problem> {
        Ok(())
    }

    fn ca_file(&self, _: &Path) -> Result<(), Problem> {
        Ok(())
    }

    fn key_file(&self, _: &Path) -> Result<Vec<u8>, Problem> {
        Ok(vec![0; 32])
    }

    fn log_filter(&self, _: &str) -> Result<(), Problem> {
        Ok(())
    }
}
