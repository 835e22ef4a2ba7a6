//! Makes accounts, each with its connections.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use anyhow::Context as _;
use domain::text::{Limits, SplitSettings};
use store::spool::{Fragment, Spool};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use wire::cmpp::Cmpp;
use wire::protocol::Messages;
use wire::session::Numbers;
use wire::sgip::Sgip;
use wire::smgp::Smgp;

use crate::account::core::{Core, Settings};
use crate::account::facts::Facts;
use crate::account::inbox::{Giver, Inbox};
use crate::account::level::Board;
use crate::account::lines::Lines;
use crate::account::mo::Mos;
use crate::account::render::Rules;
use crate::account::task::{Parts, Task};
use crate::clock::Clock;
use crate::config::{Account, Config, Protocol};
use crate::connection::{self, Connection, Context, Listener};
use crate::engine::Entry;
use crate::metrics::connection::ConnectionFamilies;
use crate::metrics::{AccountMetrics, Families};

/// News of connections that wait for their account.
const NEWS: usize = 4096;

/// What all accounts are made with.
pub(super) struct Workshop<'a> {
    pub(super) config: &'a Config,
    pub(super) epoch: domain::Millis,
    pub(super) families: Arc<Families>,
    pub(super) connections: ConnectionFamilies,
    pub(super) clock: Clock,
    pub(super) spool: Spool,
    pub(super) numbers: Arc<Numbers>,
    pub(super) next_row: Arc<AtomicI64>,
    pub(super) fragments: Vec<Fragment>,
    pub(super) events: Arc<Notify>,
}

/// An account at work.
pub(super) struct Started {
    pub(super) entry: Entry,
    pub(super) board: Board,
    pub(super) stop: Box<dyn Fn(Duration)>,
}

impl Workshop<'_> {
    pub(super) async fn open(&self, account: &Account, tasks: &mut JoinSet<()>) -> anyhow::Result<Started> {
        match account.protocol {
            Protocol::Cmpp20 | Protocol::Cmpp30 => self.start::<Cmpp>(account, Limits::cmpp(), tasks).await,
            Protocol::Sgip12 => self.start::<Sgip>(account, Limits::sgip(), tasks).await,
            Protocol::Smgp30 => self.start::<Smgp>(account, Limits::smgp(), tasks).await,
        }
    }

    async fn start<P: Messages>(
        &self,
        account: &Account,
        limits: Limits,
        tasks: &mut JoinSet<()>,
    ) -> anyhow::Result<Started>
    where
        Inbox<P>: Send,
    {
        let (news_sender, news) = mpsc::channel(NEWS);
        let shared = Arc::new(account.clone());
        let context = |connection, name: &str| Context {
            account: Arc::clone(&shared),
            connection,
            numbers: Arc::clone(&self.numbers),
            clock: self.clock.clone(),
            reports: news_sender.clone(),
            metrics: self.connections.of(&account.name, name),
        };
        let (mut lines, mut connections) = (Lines::default(), BTreeMap::new());
        for login in &account.logins {
            let id = lines.add(login.sends.then_some(account.window));
            let (orders, taken) = connection::orders(account.window);
            connections.insert(id, orders);
            let seed = self.epoch.0.wrapping_add(u64::from(self.numbers.next()));
            let connection = Connection::<P>::new(context(id, &id.to_string()), login.clone(), taken, seed);
            tasks.spawn_local(connection.run());
        }
        if let Some(listen) = &account.listen {
            let id = lines.add(None);
            let (orders, taken) = connection::listener_orders();
            connections.insert(id, orders);
            let socket =
                connection::bind(listen).await.with_context(|| format!("account {}", account.name))?;
            let listener = Listener::<P>::new(context(id, "listen"), listen.clone(), taken);
            tasks.spawn_local(listener.run(socket));
        }
        let rules = rules(account, limits);
        let board = Board::new(account.name.clone(), account.protocol.word());
        let inbox = mpsc::unbounded_channel();
        let (giver, stop) = (Giver::new(inbox.0.clone()), inbox.0.clone());
        let mut task = Task::<P>::new(Parts {
            core: Core::new(self.settings(account), lines, self.clock.now()),
            mos: Mos::new(account.name.clone(), account.mo_wait, Arc::clone(&self.next_row)),
            rules: rules.clone(),
            facts: Facts {
                account: account.name.clone(),
                metrics: AccountMetrics::new(&self.families, &account.name),
                board: board.clone(),
                access: self.config.log.access,
            },
            clock: self.clock.clone(),
            spool: self.spool.clone(),
            numbers: Arc::clone(&self.numbers),
            node: account.logins.first().map_or(0, |login| login.credentials.node),
            inbox,
            news,
            events: Arc::clone(&self.events),
            connections,
        });
        task.recover_fragments(self.fragments.iter().filter(|fragment| fragment.account == account.name));
        tasks.spawn_local(task.run());
        let stop = Box::new(move |patience| {
            // one that has ended needs not be told
            let _ = stop.send(Inbox::Stop(patience));
        });
        Ok(Started { entry: Entry { rules, giver }, board, stop })
    }

    fn settings(&self, account: &Account) -> Settings {
        Settings {
            gateway: self.config.gateway.clone(),
            epoch: self.epoch,
            account: account.name.clone(),
            rate: account.rate,
            slow_down: account.slow_down,
            hours: account.hours.clone(),
            retry: account.retry,
        }
    }
}

fn rules(account: &Account, limits: Limits) -> Rules {
    Rules {
        number: account.number.clone(),
        split: SplitSettings {
            preference: account.text.coding,
            reference_width: account.text.reference,
            limits,
            most_parts: account.text.most_parts,
        },
        signature: account.text.signature.clone(),
    }
}
