//! The SMS line: one program, a role per sub-command.

fn main() {}
