//! The life of the process.

use std::future::Future;

use crate::Config;

/// Works until `shutdown` comes, then ends what is under way.
///
/// # Errors
/// It cannot start, or cannot go on.
pub async fn run(_config: Config, _shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    unimplemented!()
}
