//! `lb plan` and `lb reload`.

use std::path::PathBuf;

use anyhow::Context;
use runtime::command::say;

use crate::admin::client::Client;
use crate::control::describe;

pub(super) async fn reload(client: Client) -> anyhow::Result<()> {
    let plan = client.reload().await?;
    if plan.is_empty() {
        say("reloaded; nothing changed");
        return Ok(());
    }
    say("reloaded:");
    for change in &plan.changes {
        say(&format!("  {}", describe(change)));
    }
    Ok(())
}

pub(super) async fn plan(client: Client, file: PathBuf, json: bool) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let previews = client.plan(text).await?;
    if json {
        say(&serde_json::to_string_pretty(&previews)?);
        return Ok(());
    }
    if previews.is_empty() {
        say("a reload would change nothing");
    }
    for preview in &previews {
        let touched = match preview.connections {
            0 => preview.effect.clone(),
            1 => format!("1 connection: {}", preview.effect),
            n => format!("{n} connections: {}", preview.effect),
        };
        say(&format!("{}\n      {touched}", describe(&preview.change)));
    }
    Ok(())
}
