//! What a file needs of the host that is to carry it out, without a host.

use std::path::Path;

use jiff::tz::{self, TimeZone};
use runtime::config::Host;
use settings::Problem;

/// For a file that is looked at by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnyHost;

impl Host for AnyHost {
    fn program(&self) -> &'static str {
        "gateway"
    }

    fn name(&self) -> Option<String> {
        None
    }

    fn secret_file(&self, _: &Path, _: &str) -> Result<String, Problem> {
        Ok("secret".to_owned())
    }

    fn time_zone(&self, _: &str) -> Result<TimeZone, Problem> {
        Ok(TimeZone::fixed(tz::offset(8)))
    }
}
