//! What `lb top` shows and what keys do to it; no terminal, no clock, no socket.

use lb_core::pool::{AdminState, ServerId, ServerStatus, State, Status};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::rates::Rates;
use crate::control::Report;

/// All that a picture is drawn from.
#[derive(Debug, Default)]
pub struct Model {
    report: Option<Report>,
    rates: Option<Rates>,
    /// Why the report is an old one.
    lost: Option<String>,
    selected: Option<(String, ServerId)>,
    sort: Sort,
    mode: Mode,
    /// What became of the last order.
    message: Option<String>,
}

/// What keys mean now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Watch,
    Help,
    /// Waits for yes or no.
    Confirm(Order),
}

/// Order of the servers of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Tier,
    Connections,
    Rate,
    /// The worst first.
    State,
}

/// What the operator wants done to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub pool: String,
    pub server: String,
    pub state: AdminState,
}

/// What a key asks of whoever runs the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    Quit,
    Set(Order),
}

impl Model {
    /// Takes a new report, or why there is none.
    pub fn observe(&mut self, outcome: Result<Report, String>) {
        match outcome {
            Ok(report) => {
                let restarted =
                    self.report.as_ref().is_some_and(|old| report.uptime_seconds < old.uptime_seconds);
                let rates = self.report.as_ref().and_then(|old| Rates::between(old, &report));
                if rates.is_some() || restarted {
                    self.rates = rates;
                }
                self.report = Some(report);
                self.lost = None;
            }
            Err(reason) => {
                self.lost = Some(reason);
                self.rates = None;
            }
        }
    }

    /// An order was carried out, or why not.
    pub fn obeyed(&mut self, order: &Order, outcome: Result<(), String>) {
        let Order { pool, server, state } = order;
        let done = match state {
            AdminState::Ready => "ready",
            AdminState::Drain => "draining",
            AdminState::Maint => "in maintenance",
        };
        self.message = Some(outcome.map_or_else(|error| error, |()| format!("{pool}/{server}: {done}")));
    }

    /// Handles a key.
    pub fn press(&mut self, key: KeyEvent) -> Option<Wish> {
        self.message = None;
        let interrupt = key.modifiers.contains(KeyModifiers::CONTROL);
        match (std::mem::take(&mut self.mode), key.code) {
            (_, KeyCode::Char('c')) if interrupt => return Some(Wish::Quit),
            (Mode::Confirm(order), KeyCode::Char('y')) => return Some(Wish::Set(order)),
            (Mode::Confirm(_), _) => self.message = Some("nothing changed".to_owned()),
            (Mode::Help, _) => {}
            (Mode::Watch, KeyCode::Char('q') | KeyCode::Esc) => return Some(Wish::Quit),
            (Mode::Watch, KeyCode::Up | KeyCode::Char('k')) => self.select(-1),
            (Mode::Watch, KeyCode::Down | KeyCode::Char('j')) => self.select(1),
            (Mode::Watch, KeyCode::Char('d')) => self.ask(AdminState::Drain),
            (Mode::Watch, KeyCode::Char('r')) => self.ask(AdminState::Ready),
            (Mode::Watch, KeyCode::Char('m')) => self.ask(AdminState::Maint),
            (Mode::Watch, KeyCode::Char('s')) => self.sort = self.sort.next(),
            (Mode::Watch, KeyCode::Char('?' | 'h')) => self.mode = Mode::Help,
            (Mode::Watch, _) => {}
        }
        None
    }

    pub fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }

    pub fn rates(&self) -> Option<&Rates> {
        self.rates.as_ref()
    }

    pub fn lost(&self) -> Option<&str> {
        self.lost.as_deref()
    }

    pub fn sort(&self) -> Sort {
        self.sort
    }

    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The selected server, as long as it is there.
    pub fn selected(&self) -> Option<(&Status, &ServerStatus)> {
        let (pool, id) = self.selected.as_ref()?;
        let pool = self.report.as_ref()?.pools.iter().find(|candidate| candidate.name == *pool)?;
        Some((pool, pool.servers.iter().find(|server| server.id == *id)?))
    }

    pub fn is_selected(&self, pool: &str, server: ServerId) -> bool {
        self.selected.as_ref().is_some_and(|(p, s)| p == pool && *s == server)
    }

    /// The servers of a pool in the order chosen.
    pub fn servers<'a>(&self, pool: &'a Status) -> Vec<&'a ServerStatus> {
        let mut servers: Vec<&ServerStatus> = pool.servers.iter().collect();
        let rate = |server: &ServerStatus| {
            self.rates.as_ref().and_then(|rates| rates.server(&pool.name, server.id)).unwrap_or(0.0)
        };
        match self.sort {
            Sort::Tier => {}
            Sort::Connections => servers.sort_by_key(|server| std::cmp::Reverse(server.live)),
            Sort::Rate => servers.sort_by(|a, b| rate(b).total_cmp(&rate(a))),
            Sort::State => servers.sort_by_key(|server| rank(server.state)),
        }
        servers
    }

    /// Moves the selection over all servers, in the order shown.
    fn select(&mut self, step: isize) {
        let Some(report) = &self.report else { return };
        let shown: Vec<(String, ServerId)> = report
            .pools
            .iter()
            .flat_map(|pool| self.servers(pool).into_iter().map(|server| (pool.name.clone(), server.id)))
            .collect();
        let current =
            self.selected.as_ref().and_then(|chosen| shown.iter().position(|candidate| candidate == chosen));
        let next = match current {
            Some(position) => position.saturating_add_signed(step).min(shown.len().saturating_sub(1)),
            None => 0,
        };
        self.selected = shown.get(next).cloned();
    }

    fn ask(&mut self, state: AdminState) {
        match self.selected() {
            None => self.message = Some("select a server first, with ↑ and ↓".to_owned()),
            Some((_, server)) if server.state == State::Retired => {
                self.message = Some(format!("{} is no longer in the file", server.name));
            }
            Some((pool, server)) => {
                let order = Order { pool: pool.name.clone(), server: server.name.clone(), state };
                self.mode = Mode::Confirm(order);
            }
        }
    }
}

impl Sort {
    fn next(self) -> Self {
        match self {
            Self::Tier => Self::Connections,
            Self::Connections => Self::Rate,
            Self::Rate => Self::State,
            Self::State => Self::Tier,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Tier => "tier",
            Self::Connections => "connections",
            Self::Rate => "conn/s",
            Self::State => "state",
        }
    }
}

fn rank(state: State) -> u8 {
    match state {
        State::Down => 0,
        State::Ejected => 1,
        State::Draining => 2,
        State::Maint => 3,
        State::Retired => 4,
        State::Up => 5,
    }
}
