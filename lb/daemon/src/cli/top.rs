//! `lb top`.

use std::time::Duration;

use crate::admin::client::Client;

pub(super) async fn top(_client: Client, _interval: Duration) -> anyhow::Result<()> {
    anyhow::bail!("not yet")
}
