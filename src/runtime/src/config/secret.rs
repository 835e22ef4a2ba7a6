//! Secrets: in the file or in one of their own, and never shown.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use settings::{Fault, Problem, Section, Step, Value};

use super::Host;

/// Reads a secret, from the key of its text or the key of its file; `None` if it is missing or wrong, which is noted.
pub fn secret<T>(
    section: &mut Section<'_>,
    (key, file_key): (&'static str, &'static str),
    host: &dyn Host,
    fits: impl FnOnce(String) -> Result<T, Problem>,
) -> Option<T> {
    let text = section.node(key).map(|node| &node.value);
    let in_file = section.node(file_key).is_some();
    let read = match text {
        None if in_file => section.optional(file_key).map(|file: PathBuf| host.secret_file(&file, key))?,
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

/// The line of a file that not everybody can read. `what` it is ("token"), and who must be able to read it, for the advice.
///
/// # Errors
/// Why it cannot be had.
pub fn secret_file(file: &Path, what: &str, reader: &str) -> Result<String, Problem> {
    let unreadable = |error: std::io::Error| {
        let advice = format!("put the {what} on the file's only line, and let {reader} read it");
        Problem::new(format!("this file cannot be read: {error}"), advice)
    };
    if fs::metadata(file).map_err(unreadable)?.permissions().mode() & 0o007 != 0 {
        let advice = format!("chmod o= {}", file.display());
        return Err(Problem::new("every user of this host can read this file", advice));
    }
    let text = fs::read_to_string(file).map_err(unreadable)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Takes the value out of a fault of one of these secrets, and of a key that may be a misspelt one.
pub fn mask(fault: &mut Fault, secrets: &[&str]) {
    let is_secret = |step: &Step| match step {
        Step::Key { key, .. } => secrets.iter().any(|word| strsim::damerau_levenshtein(word, key) <= 2),
        Step::Item { .. } => false,
    };
    // a URL may have a password before its host
    let has_user = fault.value.as_ref().is_some_and(|value| value.contains("://") && value.contains('@'));
    if fault.value.is_some() && (has_user || fault.path.0.iter().any(is_secret)) {
        fault.value = Some("***".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_the_line_of_a_file_that_not_everybody_can_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        let read = |file: &Path| secret_file(file, "secret", "the program's user");
        fs::write(&file, "s3cret \n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read(&file).unwrap_err().problem.contains("every user"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(read(&file).unwrap(), "s3cret ");
        assert!(read(&dir.path().join("none")).unwrap_err().problem.contains("cannot be read"));
    }
}
