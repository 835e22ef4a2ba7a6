//! `make demo`: a bank's line through `lb`, told as it happens. Clients never stop; servers die, come back, change
//! weight and are drained, and the configuration is reloaded. Then a pair of hosts, whose address outlives the one that
//! has it. Exits with 1 if one client had to notice more than it must.

mod clients;
mod pair;
mod story;

use std::process::ExitCode;

fn main() -> ExitCode {
    match story::tell().and_then(|()| pair::tell()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            story::say(&format!("\nThe demo failed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
