//! Values that only this file has.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use domain::id::NameError;
use jiff::tz::{self, TimeZone};
use settings::{Fault, Node, Problem, Section, Setting, Step, Value};

use super::Token;

/// A shorter token could be guessed.
const SHORTEST_TOKEN: usize = 16;

/// A name of `domain`.
#[derive(Clone, Debug)]
pub(super) struct Name<T>(pub(super) T);

impl<T: FromStr<Err = NameError>> Setting for Name<T> {
    const EXPECTED: &'static str = "a name of up to 64 letters, digits and . _ : -";

    fn read(node: &Node) -> Result<Self, Problem> {
        let text = String::read(node)?;
        let problem = |error| Problem::new(format!("this name {error}"), format!("write {}", Self::EXPECTED));
        text.parse().map(Self).map_err(problem)
    }
}

/// The first digits of access numbers; `default` is the empty prefix.
#[derive(Clone, Debug)]
pub(super) struct Prefix(pub(super) String);

impl Setting for Prefix {
    const EXPECTED: &'static str = "the first digits of access numbers such as \"106900\", or default";

    fn read(node: &Node) -> Result<Self, Problem> {
        let text = String::read(node)?;
        match text.as_str() {
            "default" => Ok(Self(String::new())),
            digits if digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(Self(text))
            }
            _ => Err(Problem::new("this is no prefix of a number", format!("write {}", Self::EXPECTED))),
        }
    }
}

/// Reads `token`, or what is in `token_file`.
pub(super) fn token(section: &mut Section<'_>) -> Option<Token> {
    let text = section.node("token").map(|node| &node.value);
    let file = section.node("token_file").is_some();
    let read = match (text, file) {
        (None, false) => {
            section.missing("token", "add `token: …` or `token_file: …`");
            return None;
        }
        (None, true) => section.optional("token_file").map(|file: PathBuf| secret(&file))?,
        (Some(_), true) => Err(Problem::new("`token_file` says this too", "remove one of the two")),
        (Some(Value::Text(text)), false) => Ok(text.clone()),
        (Some(_), false) => Err(Problem::new("this is not a text", "write it in quotes")),
    };
    let faulty = if text.is_some() { "token" } else { "token_file" };
    read.and_then(|text| long_enough(&text)).map_err(|problem| section.fault(faulty, problem)).ok()
}

fn long_enough(text: &str) -> Result<Token, Problem> {
    let plain = text.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
    match text.len() {
        _ if !plain => Err(Problem::new(
            "this holds other characters than printable ASCII",
            "take one from `openssl rand -hex 32`",
        )),
        0..SHORTEST_TOKEN => {
            let problem = format!("this is shorter than {SHORTEST_TOKEN} characters");
            Err(Problem::new(problem, "take one from `openssl rand -hex 32`"))
        }
        _ => Ok(Token::of(text)),
    }
}

/// The line of a file that not everybody can read.
fn secret(file: &Path) -> Result<String, Problem> {
    let unreadable = |error: std::io::Error| {
        let advice = "put the token on the file's only line, and let the center's user read it";
        Problem::new(format!("this file cannot be read: {error}"), advice)
    };
    if fs::metadata(file).map_err(unreadable)?.permissions().mode() & 0o007 != 0 {
        let advice = format!("chmod o= {}", file.display());
        return Err(Problem::new("every user of this host can read this file", advice));
    }
    let text = fs::read_to_string(file).map_err(unreadable)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

pub(super) fn time_zone(name: &str) -> Result<TimeZone, Problem> {
    match name {
        // there on a host without data of time zones too: no summer time since 1991
        "Asia/Shanghai" => Ok(TimeZone::fixed(tz::offset(8))),
        _ => TimeZone::get(name).map_err(|error| {
            let advice = "write a name of the tz database such as Asia/Shanghai";
            Problem::new(format!("there is no such time zone here: {error}"), advice)
        }),
    }
}

pub(super) fn log_filter(filter: &str) -> Result<(), Problem> {
    runtime::logging::parse_filter(filter).map(drop).map_err(|_| {
        let advice = "write error, warn, info, debug or trace, or a filter such as \"info,center=debug\"";
        Problem::new("this is not a log level", advice)
    })
}

/// Takes the value out of a fault of a secret, and of a key that may be a misspelt one.
pub(super) fn mask(fault: &mut Fault) {
    let is_secret = |step: &Step| match step {
        Step::Key { key, .. } => {
            ["token", "password"].iter().any(|word| strsim::damerau_levenshtein(word, key) <= 2)
        }
        Step::Item { .. } => false,
    };
    if fault.value.is_some() && fault.path.0.iter().any(is_secret) {
        fault.value = Some("***".to_owned());
    }
}
