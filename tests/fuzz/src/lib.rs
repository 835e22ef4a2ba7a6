//! What the targets call: the same that `cargo test -p wire` does.

#[path = "../../../src/wire/tests/drive/mod.rs"]
pub mod drive;
