//! How a command speaks to its caller: what it was asked for on standard output, what went wrong on standard error.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

/// The exit code for a wrong configuration (`EX_USAGE` of sysexits.h).
pub const WRONG_CONFIG: u8 = 64;

/// A program by its name, with which its complaints begin.
#[derive(Clone, Copy, Debug)]
pub struct Program(pub &'static str);

impl Program {
    /// Prints a complaint to standard error.
    #[expect(clippy::print_stderr, reason = "a command speaks to its caller")]
    pub fn complain(self, text: impl Display) {
        eprintln!("{}: {text}", self.0);
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// The exit code; the reason is printed.
    pub fn read_config(self, file: &Path) -> Result<String, ExitCode> {
        std::fs::read_to_string(file).map_err(|error| {
            self.complain(format_args!("{}: {error}", file.display()));
            ExitCode::from(WRONG_CONFIG)
        })
    }

    /// Prints a complaint and the faults that are its reason; the exit code.
    pub fn refuse(self, complaint: impl Display, faults: &[impl Display]) -> ExitCode {
        self.complain(complaint);
        print_faults(faults);
        ExitCode::from(WRONG_CONFIG)
    }

    /// The outcome of a check of a configuration file, as text or as a JSON array; the exit code.
    pub fn checked(self, file: &Path, faults: &[impl Display + Serialize], json: bool) -> ExitCode {
        match (json, faults) {
            (true, _) => say(&serde_json::to_string_pretty(faults).unwrap_or_default()),
            (false, []) => say(&format!("{}: no faults", file.display())),
            (false, _) => return self.refuse(format_args!("{}:", file.display()), faults),
        }
        if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(WRONG_CONFIG) }
    }
}

/// Prints a list of faults to standard error, and how many there are.
#[expect(clippy::print_stderr, reason = "a command speaks to its caller")]
pub fn print_faults(faults: &[impl Display]) {
    for fault in faults {
        eprintln!("  {fault}");
    }
    let plural = if faults.len() == 1 { "" } else { "s" };
    eprintln!("{} fault{plural}", faults.len());
}

/// Prints to standard output; a reader that has gone away ends it quietly.
pub fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}
