//! How many messages a gateway carries: the real programs, a gateway and a simulated carrier, on loopback, with their
//! files on the disk of the repository.

mod book;
mod hand;
mod results;
mod round;
mod setup;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

pub use self::hand::{BACKLOG, REQUESTS};
pub use self::results::{Gateway, Line};
pub use self::round::{Outcome, REPORT_AFTER};
pub use self::setup::{SETUPS, Setup};
use crate::machine::first_line;
use crate::round::Settings;
use crate::say;
use crate::spread::Spread;

/// Blocks written to see how fast the disk is.
const BLOCKS: usize = 50;
const BLOCK: [u8; 4096] = [0x5A; 4096];

/// All rounds of these rows, in turns.
///
/// # Errors
/// There is no `smsline`, or a round is not true: a message or an event is missing, or is there twice.
pub fn run(setups: &[Setup], settings: &Settings) -> Result<Gateway> {
    let dir = files()?;
    let file_system = first_line("findmnt", &["-no", "FSTYPE", "--target", &dir.to_string_lossy()])?;
    ensure!(file_system != "tmpfs", "{} is in memory: nothing would be durable", dir.display());
    let binary = testkit::line::binary()?;
    let mut gateway = Gateway {
        version: first_line(&binary.to_string_lossy(), &["--version"])?,
        file_system,
        sync: sync(&dir)?,
        lines: Vec::new(),
    };
    let messages = |setup: &Setup| setup.messages(settings.measure.as_secs_f64());
    let mut order: Vec<usize> = (0..setups.len()).collect();
    let mut outcomes = vec![Vec::new(); setups.len()];
    for number in 1..=settings.rounds {
        for index in &order {
            let (Some(setup), Some(outcomes)) = (setups.get(*index), outcomes.get_mut(*index)) else {
                continue;
            };
            let outcome = round::run(setup, messages(setup))
                .with_context(|| format!("{}, round {number}", setup.name))?;
            say(&format!("{}, round {number}/{}: {outcome}", setup.name, settings.rounds))?;
            outcomes.push(outcome);
        }
        order.rotate_left(1);
    }
    gateway.lines = setups
        .iter()
        .zip(&outcomes)
        .map(|(setup, outcomes)| Line::new(*setup, messages(setup), outcomes))
        .collect();
    Ok(gateway)
}

/// Where the programs have their files from now on: beside the running program, because the system's place for
/// temporary files may be in memory.
fn files() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find the running program")?;
    let dir = program.parent().context("the running program is nowhere")?.join("bench-files");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    // a second time it is set already, to the same
    let _ = tempfile::env::override_temp_dir(&dir);
    Ok(dir)
}

fn sync(dir: &Path) -> Result<Spread> {
    let path = dir.join("blocks");
    let mut file = File::create(&path)?;
    let mut write = || {
        let start = Instant::now();
        file.write_all(&BLOCK)?;
        file.sync_data()?;
        Ok(start.elapsed().as_secs_f64() * 1e6)
    };
    let took = (0..BLOCKS).map(|_| write()).collect::<Result<_>>()?;
    fs::remove_file(&path)?;
    Ok(Spread::new(took))
}
