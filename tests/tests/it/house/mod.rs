//! The whole line, from the bank to the carrier and back, as real processes.

mod end_to_end;
mod kill;

use std::time::Duration;

/// What a message takes, with much to spare.
const SOON: Duration = Duration::from_secs(60);
