//! How many messages a second one connection carries, both ends in this process: `cargo run -p link --example line_rate`.
#![expect(clippy::print_stdout, reason = "a program for people")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::{MessageText, Submission, UaopId};
use link::{Identity, Intake, Line, LineSettings, LineState, Offer, Role, Standing, Verdict};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

const TASKS: usize = 16;
const BATCHES: usize = 100;
const BATCH: usize = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let ready = Standing { ready: true, reason: String::new() };
    let intake = Arc::new(Everything(watch::Sender::new(ready)));
    tokio::spawn(link::serve(listener, who(Role::Uaop), intake, None, std::future::pending()));
    let settings = LineSettings {
        server: settings::Address::Socket(address),
        connect: Duration::from_secs(5),
        silence: Duration::from_secs(10),
        reconnect: (Duration::from_millis(50), Duration::from_secs(1)),
        window: 4096,
    };
    let line = Line::open(settings, who(Role::Empi), Role::Uaop, None);
    line.state().wait_for(|state| matches!(state, LineState::Up { .. })).await?;

    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let line = line.clone();
        tasks.spawn(async move {
            for batch in 0..BATCHES {
                let offers: Result<Vec<_>, _> =
                    (0..BATCH).map(|number| offer(&format!("m-{task}-{batch}-{number}"))).collect();
                line.submit(offers?).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let count = (TASKS * BATCHES * BATCH) as f64;
    println!("{:.0} messages a second, both ends on one core", count / start.elapsed().as_secs_f64());
    Ok(())
}

/// Takes everything.
struct Everything(watch::Sender<Standing>);

#[async_trait]
impl Intake for Everything {
    async fn take(&self, _: &Identity, offers: Vec<Offer>) -> Vec<Verdict> {
        vec![Verdict::Taken { duplicate: false }; offers.len()]
    }

    async fn known(&self, ids: Vec<UaopId>) -> Result<Vec<bool>, String> {
        Ok(vec![false; ids.len()])
    }

    fn standing(&self) -> watch::Receiver<Standing> {
        self.0.subscribe()
    }
}

fn who(role: Role) -> Identity {
    Identity { role, node: "n1".to_owned(), site: "dc1".to_owned() }
}

fn offer(id: &str) -> anyhow::Result<Offer> {
    let submission = Submission {
        uaop_id: id.parse()?,
        empi_id: "bank".parse()?,
        class: "notice".parse()?,
        account: None,
        to: "8613800138000".parse()?,
        extension: String::new(),
        text: MessageText("Your code is 123456; it is valid for five minutes.".to_owned()),
        report: true,
        priority: 0,
        not_after: None,
    };
    Ok(Offer { submission, again: false })
}
