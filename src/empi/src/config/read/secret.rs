//! Secrets: in the file or in one of their own, and never shown.

use runtime::config::{self, Host};
use settings::{Problem, Section};

use crate::config::Secret;

/// Of a secret: the key of its text, and the key of its file.
pub(super) const SECRET: (&str, &str) = ("secret", "secret_file");
pub(super) const TOKEN: (&str, &str) = ("token", "token_file");

/// What cannot be guessed, in characters.
const LEAST: usize = 16;

/// Reads a secret; `None` if it is missing or wrong, which is noted.
pub(super) fn secret(
    section: &mut Section<'_>,
    keys: (&'static str, &'static str),
    host: &dyn Host,
) -> Option<Secret> {
    config::secret(section, keys, host, fits)
}

fn fits(text: String) -> Result<Secret, Problem> {
    if text.len() < LEAST {
        let problem = format!("this is shorter than {LEAST} characters");
        return Err(Problem::new(problem, "make one with `openssl rand -hex 32`"));
    }
    if !text.bytes().all(|byte| matches!(byte, b'!'..=b'~')) {
        let advice = "make one with `openssl rand -hex 32`";
        return Err(Problem::new("this holds other characters than visible ASCII", advice));
    }
    Ok(Secret(text))
}
