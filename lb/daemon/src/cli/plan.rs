//! `lb plan` and `lb reload`.

use std::path::PathBuf;

use anyhow::Context;
use lb_core::config::{Change, FieldChange};

use super::say;
use crate::admin::client::Client;

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

fn describe(change: &Change) -> String {
    let set = |FieldChange { name, from, to }: &FieldChange| format!("{name}: {from} → {to}");
    match change {
        Change::Process { field, needs_restart: false } => format!("~ {}", set(field)),
        Change::Process { field, needs_restart: true } => format!("! {} (needs a restart)", set(field)),
        Change::PoolAdded { pool } => format!("+ pool {pool}"),
        Change::PoolRemoved { pool } => format!("- pool {pool}"),
        Change::PoolChanged { pool, field } => format!("~ pool {pool}: {}", set(field)),
        Change::ServerAdded { pool, server, address } => format!("+ server {pool}/{server} at {address}"),
        Change::ServerRemoved { pool, server, address } => format!("- server {pool}/{server} at {address}"),
        Change::ServerChanged { pool, server, field } => format!("~ server {pool}/{server}: {}", set(field)),
        Change::ListenerAdded { listener, binds } => format!("+ listener {listener} on {}", binds.join(", ")),
        Change::ListenerRemoved { listener } => format!("- listener {listener}"),
        Change::ListenerRebound { listener, opened, closed } => {
            let part =
                |sign: &str, list: &[String]| list.iter().map(|a| format!(" {sign}{a}")).collect::<String>();
            format!("~ listener {listener}:{}{}", part("+", opened), part("-", closed))
        }
        Change::ListenerChanged { listener, field } => format!("~ listener {listener}: {}", set(field)),
        Change::VirtualRouterAdded { router, addresses } => {
            format!("+ virtual router {router}: {}", addresses.join(", "))
        }
        Change::VirtualRouterRemoved { router } => format!("- virtual router {router}"),
        Change::VirtualRouterReplaced { router, field } => {
            format!("± virtual router {router}: {}", set(field))
        }
        Change::VirtualRouterChanged { router, field } => {
            format!("~ virtual router {router}: {}", set(field))
        }
    }
}
