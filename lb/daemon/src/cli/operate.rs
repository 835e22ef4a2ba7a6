//! `lb server`.

use lb_core::pool::AdminState;
use runtime::command::say;

use super::args::{ServerAction, ServerName, WeightChoice};
use crate::admin::client::Client;

pub(super) async fn operate(client: Client, action: ServerAction) -> anyhow::Result<()> {
    match action {
        ServerAction::Drain { server } => set_state(&client, &server, AdminState::Drain).await,
        ServerAction::Ready { server } => set_state(&client, &server, AdminState::Ready).await,
        ServerAction::Maint { server } => set_state(&client, &server, AdminState::Maint).await,
        ServerAction::Weight { server: ServerName { pool, server }, weight: WeightChoice(weight) } => {
            client.set_weight(&pool, &server, weight).await?;
            let weight = weight.map_or_else(|| "the file's".to_owned(), |weight| weight.to_string());
            say(&format!("{pool}/{server}: weight {weight}"));
            Ok(())
        }
    }
}

async fn set_state(
    client: &Client,
    ServerName { pool, server }: &ServerName,
    state: AdminState,
) -> anyhow::Result<()> {
    client.set_state(pool, server, state).await?;
    let word = match state {
        AdminState::Ready => "ready",
        AdminState::Drain => "draining",
        AdminState::Maint => "in maintenance",
    };
    say(&format!("{pool}/{server}: {word}"));
    Ok(())
}
