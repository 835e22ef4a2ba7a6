//! `lb top`: what `lb status` shows, with rates, again and again.

mod model;
mod rates;
#[cfg(test)]
mod tests;
mod view;

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use runtime::command::say;
use runtime::signals::Signals;
use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, channel, unbounded_channel};
use tokio::time::MissedTickBehavior;

use crate::admin::client::{Client, ClientError};
use crate::control::Report;
use model::{Model, Order, Wish};

pub(super) async fn top(client: Client, interval: Duration) -> anyhow::Result<()> {
    let mut model = Model::default();
    // a daemon that is not there at all is a mistake to be told plainly
    model.observe(Ok(client.status().await?));
    if !std::io::stdout().is_terminal() {
        tokio::time::sleep(interval).await;
        model.observe(Ok(client.status().await?));
        say(&view::plain(&model));
        return Ok(());
    }
    let signals = Signals::install()?;
    // restores the terminal in a panic, too
    let mut terminal = ratatui::try_init().inspect_err(|_| ratatui::restore()).context("the terminal")?;
    let outcome = watch(&mut terminal, model, client, interval, signals).await;
    ratatui::try_restore()?;
    outcome
}

async fn watch(
    terminal: &mut DefaultTerminal,
    mut model: Model,
    client: Client,
    interval: Duration,
    mut signals: Signals,
) -> anyhow::Result<()> {
    let again = Arc::new(Notify::new());
    let mut reports = ask_regularly(client.clone(), interval, Arc::clone(&again));
    let mut events = read_terminal()?;
    loop {
        terminal.draw(|frame| view::draw(&model, frame.area(), frame.buffer_mut()))?;
        let wish = tokio::select! {
            event = events.recv() => match event {
                Some(Event::Key(key)) if key.kind != KeyEventKind::Release => model.press(key),
                // a resize needs nothing but the next picture
                Some(_) => None,
                None => return Ok(()),
            },
            Some(outcome) = reports.recv() => {
                model.observe(outcome.map_err(|error| error.to_string()));
                None
            }
            _ = signals.next() => return Ok(()),
        };
        match wish {
            None => {}
            Some(Wish::Quit) => return Ok(()),
            Some(Wish::Set(order)) => {
                let Order { pool, server, state } = &order;
                let outcome = client.set_state(pool, server, *state).await;
                model.obeyed(&order, outcome.map_err(|error| error.to_string()));
                again.notify_one();
            }
        }
    }
}

/// Asks each `interval`, and when `again` rings.
fn ask_regularly(
    client: Client,
    interval: Duration,
    again: Arc<Notify>,
) -> Receiver<Result<Report, ClientError>> {
    let (sender, receiver) = channel(1);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // the first report is there already
        ticks.reset();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = again.notified() => {}
            }
            if sender.send(client.status().await).await.is_err() {
                return;
            }
        }
    });
    receiver
}

/// Keys and resizes, read by a thread of their own; it ends with the process.
fn read_terminal() -> std::io::Result<UnboundedReceiver<Event>> {
    let (sender, receiver) = unbounded_channel();
    std::thread::Builder::new().name("keys".to_owned()).spawn(move || {
        while let Ok(event) = event::read() {
            if sender.send(event).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}
