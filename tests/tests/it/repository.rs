//! Files of the repository.

use std::path::PathBuf;

pub fn path(inside: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(inside)
}

pub fn read(inside: &str) -> String {
    std::fs::read_to_string(path(inside)).unwrap()
}
