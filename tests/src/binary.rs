//! The programs under test.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// The binary of the package `name`: the one that the environment's `variable` names, or else the one that was built
/// with the running program.
///
/// # Errors
/// There is none; says how to build it.
pub fn find(name: &str, variable: &str) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        let path = PathBuf::from(path);
        if !path.is_file() {
            bail!("{variable} names {}, which is no file", path.display());
        }
        return Ok(path);
    }
    let here = std::env::current_exe().context("cannot find the running program")?;
    // target/PROFILE/bench, or target/PROFILE/deps/test-0123456789abcdef
    let profile = here.ancestors().skip(1).find(|dir| !dir.ends_with("deps"));
    let profile = profile.context("the running program is nowhere")?;
    let path = profile.join(name);
    if !path.is_file() {
        let release = if profile.ends_with("release") { " --release" } else { "" };
        bail!(
            "no {}: build it with `cargo build{release} -p {name}`, or name one in {variable}",
            path.display()
        );
    }
    Ok(path)
}
