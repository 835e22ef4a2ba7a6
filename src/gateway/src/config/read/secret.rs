//! Secrets: in the file or in one of their own, and never shown.

use runtime::config::{self, Host};
use settings::{Problem, Section};
use wire::protocol::Secret;

/// Of a secret: the key of its text, and the key of its file.
pub(super) const SECRET: (&str, &str) = ("secret", "secret_file");
pub(super) const PASSWORD: (&str, &str) = ("password", "password_file");

/// Reads a secret of at most `most` characters.
pub(super) fn secret(
    section: &mut Section<'_>,
    keys: (&'static str, &'static str),
    most: usize,
    host: &dyn Host,
) -> Option<Secret> {
    config::secret(section, keys, host, |text| fits(text, most))
}

fn fits(text: String, most: usize) -> Result<Secret, Problem> {
    let plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    match text.len() {
        0 => Err(Problem::new("there is no secret in it", "write the secret of the account")),
        length if length > most => {
            Err(Problem::new("this is too long", format!("the protocol has {most} characters")))
        }
        _ if !plain => Err(Problem::new("this holds other characters than ASCII", "write ASCII characters")),
        _ => Ok(Secret(text)),
    }
}
