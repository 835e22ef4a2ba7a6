//! Files of the repository.

use std::path::PathBuf;

pub fn path(inside: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(inside)
}

pub fn read(inside: &str) -> String {
    std::fs::read_to_string(path(inside)).unwrap()
}

/// Every file below a folder.
pub fn files_below(inside: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![path(inside)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let found = if entry.file_type().unwrap().is_dir() { &mut folders } else { &mut files };
            found.push(entry.path());
        }
    }
    files
}
