//! The picture.

use lb_core::pool::{AdminState, ServerStatus, State, Status};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Widget};

use super::model::{Mode, Model, Order};
use crate::cli::status;
use crate::control::{ListenerReport, Report};
use crate::vrrp::{RouterStatus, State as RouterState};

/// Cells of the bar that shows connections.
const BAR: usize = 10;

/// Draws the whole screen.
pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let [top, middle, bottom] =
        Layout::vertical([Constraint::Length(2), Constraint::Min(0), Constraint::Length(1)]).areas(area);
    Paragraph::new(vec![header(model), particulars(model)]).render(top, buffer);
    let rows = rows(model);
    let selected = rows.iter().position(|row| row.selected).unwrap_or(0);
    let hidden = (selected + 2).saturating_sub(usize::from(middle.height));
    let lines: Vec<Line<'_>> = rows.into_iter().map(|row| row.line).skip(hidden).collect();
    Paragraph::new(lines).render(middle, buffer);
    Paragraph::new(footer(model)).render(bottom, buffer);
    if *model.mode() == Mode::Help {
        help(area, buffer);
    }
}

/// The same as text, for where there is no terminal.
pub fn plain(model: &Model) -> String {
    let lines = std::iter::once(header(model)).chain(rows(model).into_iter().map(|row| row.line));
    lines.map(|line| line.to_string().trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

struct Row {
    line: Line<'static>,
    selected: bool,
}

impl From<Line<'static>> for Row {
    fn from(line: Line<'static>) -> Self {
        Self { line, selected: false }
    }
}

fn header(model: &Model) -> Line<'static> {
    let Some(report) = model.report() else { return Line::default() };
    let node = report.node.as_deref().unwrap_or("-");
    let mut spans =
        vec![" lb ".bold(), format!("{} · node {node} · up {}", report.version, uptime(report)).into()];
    if report.draining {
        spans.push(" · ".into());
        spans.push("STOPPING".bold().yellow());
    }
    if let Some(reason) = model.lost() {
        spans.push(" · ".into());
        let text = format!(" NOT ANSWERING: {reason} ");
        spans.push(Span::styled(text, Style::new().fg(Color::White).bg(Color::Red)));
    }
    Line::from(spans)
}

/// What a narrow terminal cuts off, for the selected server.
fn particulars(model: &Model) -> Line<'static> {
    let Some((pool, server)) = model.selected() else { return Line::default() };
    let mut text = format!(
        " {}/{} {} · {} for {}",
        pool.name,
        server.name,
        server.address,
        status::state_word(server.state),
        status::time(server.state_seconds)
    );
    let why = status::why(server);
    if !why.is_empty() {
        text.push_str(" · ");
        text.push_str(&why);
    }
    Line::styled(text, Style::new().fg(colour(server.state)))
}

fn uptime(report: &Report) -> String {
    status::time(report.uptime_seconds)
}

fn rows(model: &Model) -> Vec<Row> {
    let Some(report) = model.report() else { return Vec::new() };
    let mut rows: Vec<Row> = vec![listener_head().into()];
    rows.extend(report.listeners.iter().map(|listener| listener_line(model, listener).into()));
    if !report.virtual_routers.is_empty() {
        rows.push(Line::default().into());
        rows.push(router_head().into());
        rows.extend(report.virtual_routers.iter().map(|router| router_line(router).into()));
    }
    for pool in &report.pools {
        rows.push(Line::default().into());
        rows.push(pool_line(pool).into());
        rows.push(server_head().into());
        let most = pool.servers.iter().map(|server| server.live).max().unwrap_or(0);
        rows.extend(model.servers(pool).into_iter().map(|server| server_row(model, pool, server, most)));
    }
    rows
}

fn head(text: String) -> Line<'static> {
    Line::styled(text, Style::new().fg(Color::DarkGray))
}

fn listener_head() -> Line<'static> {
    head(format!(
        " {:<16} {:<26} {:<16} {:>13} {:>9} {:>12} {:>12}",
        "LISTENER", "ADDRESS", "POOL", "CONNECTIONS", "CONN/S", "IN/S", "OUT/S"
    ))
}

fn listener_line(model: &Model, listener: &ListenerReport) -> Line<'static> {
    let connections = match listener.max_connections {
        Some(limit) => format!("{}/{limit}", listener.connections),
        None => listener.connections.to_string(),
    };
    let rates = model.rates().and_then(|rates| rates.listener(&listener.name));
    Line::from(format!(
        " {:<16} {:<26} {:<16} {:>13} {:>9} {:>12} {:>12}",
        cut(&listener.name, 16),
        cut(&first_of(&listener.binds), 26),
        cut(&listener.pool, 16),
        connections,
        rate(rates.map(|rates| rates.connections)),
        byte_rate(rates.map(|rates| rates.received_bytes)),
        byte_rate(rates.map(|rates| rates.sent_bytes)),
    ))
}

fn router_head() -> Line<'static> {
    head(format!(
        " {:<16} {:<10} {:<26} {:<10} {:>8} {:<22} {:>9} {}",
        "VIRTUAL ROUTER", "STATE", "ADDRESS", "INTERFACE", "PRIORITY", "ACTIVE ROUTER", "SINCE", "WHY"
    ))
}

fn router_line(router: &RouterStatus) -> Line<'static> {
    let colour = match router.state {
        RouterState::Active => Color::Green,
        RouterState::Backup => Color::Reset,
        RouterState::Initialize => Color::DarkGray,
        RouterState::Fault => Color::Red,
    };
    Line::from(vec![
        format!(" {:<16} ", cut(&router.name, 16)).into(),
        Span::styled(format!("{:<10} ", status::router_state_word(router.state)), Style::new().fg(colour)),
        format!(
            "{:<26} {:<10} {:>8} {:<22} {:>9} {}",
            cut(&first_of(&router.addresses), 26),
            cut(&router.interface, 10),
            status::priority(router),
            cut(&status::active_router(router), 22),
            status::time(router.state_seconds),
            status::why_router(router),
        )
        .into(),
    ])
}

/// The first, and how many more there are.
fn first_of(list: &[String]) -> String {
    match list {
        [] => String::new(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} +{}", rest.len()),
    }
}

fn pool_line(pool: &Status) -> Line<'static> {
    let colour = if pool.active_tier.is_none() { Color::Red } else { Color::Reset };
    Line::styled(
        format!(" {}", status::pool_heading(pool)),
        Style::new().fg(colour).add_modifier(Modifier::BOLD),
    )
}

fn server_head() -> Line<'static> {
    head(format!(
        "   {:<18} {:>5} {:>9} {:<9} {:<22} {:>9} {:<17} {}",
        "SERVER", "TIER", "WEIGHT", "STATE", "CONNECTIONS", "CONN/S", "LAST CHECK", "WHY"
    ))
}

fn server_row(model: &Model, pool: &Status, server: &ServerStatus, most: u32) -> Row {
    let selected = model.is_selected(&pool.name, server.id);
    let tier = if server.sorry { "sorry".to_owned() } else { server.tier.to_string() };
    let (full, empty) = bar(server.live, server.max_connections.unwrap_or(most));
    let colour = colour(server.state);
    let rate = rate(model.rates().and_then(|rates| rates.server(&pool.name, server.id)));
    let line = Line::from(vec![
        if selected { " ▸ " } else { "   " }.into(),
        format!("{:<18} {tier:>5} {:>9} ", cut(&server.name, 18), status::weight(server)).into(),
        Span::styled(format!("{:<9} ", status::state_word(server.state)), Style::new().fg(colour)),
        Span::styled(full, Style::new().fg(colour)),
        Span::styled(empty, Style::new().fg(Color::DarkGray)),
        format!(" {:<11} {rate:>9} {:<17} ", status::connections(server), status::last_check(server)).into(),
        status::why(server).into(),
    ]);
    let line = if selected { line.style(Style::new().add_modifier(Modifier::REVERSED)) } else { line };
    Row { line, selected }
}

fn colour(state: State) -> Color {
    match state {
        State::Up => Color::Green,
        State::Draining => Color::Yellow,
        State::Ejected => Color::Magenta,
        State::Down => Color::Red,
        State::Maint => Color::Blue,
        State::Retired => Color::DarkGray,
    }
}

/// The filled and the empty part of a bar; one connection always shows.
fn bar(live: u32, limit: u32) -> (String, String) {
    let share = f64::from(live) / f64::from(limit.max(1));
    let filled = (0..BAR).filter(|cell| share * BAR as f64 > *cell as f64).count();
    ("█".repeat(filled), "░".repeat(BAR - filled))
}

fn rate(rate: Option<f64>) -> String {
    rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}"))
}

fn byte_rate(rate: Option<f64>) -> String {
    // a rate of bytes is whole enough
    rate.map_or_else(|| "-".to_owned(), |rate| status::bytes(rate.round() as u64))
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

fn footer(model: &Model) -> Line<'static> {
    match (model.mode(), model.message()) {
        (Mode::Confirm(order), _) => Line::styled(question(order), Style::new().bold().yellow()),
        (Mode::Watch | Mode::Help, Some(message)) => Line::styled(format!(" {message}"), Style::new().bold()),
        (Mode::Watch | Mode::Help, None) => Line::styled(
            format!(
                " q quit · ↑↓ select · d drain · r ready · m maint · s sort: {} · ? help",
                model.sort().word()
            ),
            Style::new().fg(Color::DarkGray),
        ),
    }
}

fn question(Order { pool, server, state }: &Order) -> String {
    let what = match state {
        AdminState::Drain => "drain: no new connections, live ones stay",
        AdminState::Ready => "ready: back to normal",
        AdminState::Maint => "maint: no connections, no checks; live ones follow on_down",
    };
    format!(" {pool}/{server} → {what}. Sure? y/n")
}

fn help(area: Rect, buffer: &mut Buffer) {
    const TEXT: [&str; 12] = [
        "↑ ↓, k j   select a server",
        "d          drain it: no new connections, live ones stay",
        "m          maint: no connections, no checks",
        "r          ready: back to normal",
        "s          sort servers: tier, connections, conn/s, state",
        "q, Esc     quit",
        "",
        "Bars show connections against the server's limit or, without one,",
        "against the busiest server of the pool.",
        "WEIGHT a/b: a is in force (slow start, agent, operator), b the file's.",
        "WHY says what keeps a server from being up.",
        "Any key closes this.",
    ];
    let height = u16::try_from(TEXT.len() + 2).unwrap_or(u16::MAX).min(area.height);
    let width = 76.min(area.width);
    let place =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    Clear.render(place, buffer);
    let lines: Vec<Line<'_>> = TEXT.iter().map(|text| Line::from(*text)).collect();
    Paragraph::new(lines).block(Block::bordered().title(" lb top ")).render(place, buffer);
}
