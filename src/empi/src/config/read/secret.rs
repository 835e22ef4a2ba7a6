//! Secrets: in the file or in one of their own, and never shown.

use std::path::PathBuf;

use settings::{Fault, Problem, Section, Step, Value};

use crate::config::{Host, Secret};

/// Of a secret: the key of its text, and the key of its file.
pub(super) const SECRET: (&str, &str) = ("secret", "secret_file");
pub(super) const TOKEN: (&str, &str) = ("token", "token_file");
/// Of other crates' sections.
const OTHERS: &[&str] = &["password"];

/// What cannot be guessed, in characters.
const LEAST: usize = 16;

/// Reads a secret; `None` if it is missing or wrong, which is noted.
pub(super) fn secret(
    section: &mut Section<'_>,
    (key, file_key): (&'static str, &'static str),
    host: &dyn Host,
) -> Option<Secret> {
    let text = section.node(key).map(|node| &node.value);
    let in_file = section.node(file_key).is_some();
    let read = match text {
        None if in_file => section.optional(file_key).map(|file: PathBuf| host.secret_file(&file))?,
        None => {
            section.missing(key, &format!("add `{key}: …` or `{file_key}: …`"));
            return None;
        }
        Some(_) if in_file => {
            Err(Problem::new(format!("`{file_key}` says this too"), "remove one of the two"))
        }
        Some(Value::Text(text)) => Ok(text.clone()),
        // as a number it may have lost a zero
        Some(_) => Err(Problem::new("this is not a text", "write it in quotes")),
    };
    let faulty = if text.is_some() { key } else { file_key };
    read.and_then(fits).map_err(|problem| section.fault(faulty, problem)).ok()
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

/// Takes the value out of a fault of a secret, and of a key that may be a misspelt one.
pub(in crate::config) fn mask(fault: &mut Fault) {
    let secrets = || [SECRET.0, TOKEN.0].into_iter().chain(OTHERS.iter().copied());
    let is_secret = |step: &Step| match step {
        Step::Key { key, .. } => secrets().any(|word| strsim::damerau_levenshtein(word, key) <= 2),
        Step::Item { .. } => false,
    };
    // a URL may have a password before its host
    let has_user = fault.value.as_ref().is_some_and(|value| value.contains("://") && value.contains('@'));
    if fault.value.is_some() && (has_user || fault.path.0.iter().any(is_secret)) {
        fault.value = Some("***".to_owned());
    }
}
