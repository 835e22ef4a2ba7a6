//! Results as files: `results.md`, `results.json` and plots of `lb` and its peers; `gateway.*`; `codec.*`.

mod codec;
mod failover;
mod gateway;
mod markdown;
mod plot;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde::Serialize;

use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::results::{Cell, Line, Results};
use crate::round::Settings;

/// A part with a file of its own.
#[derive(Serialize)]
struct Page<'a, T> {
    machine: &'a Machine,
    settings: &'a Settings,
    #[serde(flatten)]
    part: &'a T,
}

/// Writes the files of all parts that ran into a directory, which is made if it is not there.
pub fn write(dir: &Path, results: &Results) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let put = |name: &str, text: String| {
        let path = dir.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    if !results.lines.is_empty() || !results.failover.lines.is_empty() {
        put("results.json", json(results)?)?;
        let plots = plot::all(results)?;
        for plot in &plots {
            put(plot.file, plot.svg.clone())?;
        }
        put("results.md", markdown::page(results, &plots)?)?;
    }
    let Results { machine, settings, gateway, codec, .. } = results;
    if !gateway.lines.is_empty() {
        put("gateway.json", json(&Page { machine, settings, part: gateway })?)?;
        put("gateway.md", gateway::page(machine, settings, gateway)?)?;
    }
    if !codec.lines.is_empty() {
        put("codec.json", json(&Page { machine, settings, part: codec })?)?;
        put("codec.md", codec::page(machine, settings, codec)?)?;
    }
    Ok(())
}

fn json(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// The table for a terminal.
pub fn terminal(results: &Results) -> String {
    let contestants = contestants(results);
    let mut table = Table::new();
    table.load_style(NOTHING);
    let names = contestants.iter().map(|one| one.title().to_owned());
    table.set_header(
        ["row".to_owned(), "metric".to_owned()].into_iter().chain(names).chain(["lb/best".to_owned()]),
    );
    for line in &results.lines {
        let cells = contestants.iter().map(|one| cell(line, *one));
        let head = [line.row.to_string(), format!("{}, {}", line.metric, line.unit)];
        table.add_row(head.into_iter().chain(cells).chain([score(line)]));
    }
    let load = if results.lines.is_empty() { String::new() } else { table.to_string() };
    load + &failover::terminal(&results.failover)
        + &gateway::terminal(&results.gateway)
        + &codec::terminal(&results.codec)
}

/// Those with a value, in the order of the report.
fn contestants(results: &Results) -> Vec<Contestant> {
    let takes_part = |one: &Contestant| results.lines.iter().any(|line| line.cell(*one).is_some());
    Contestant::all().into_iter().filter(takes_part).collect()
}

fn cell(line: &Line, contestant: Contestant) -> String {
    line.cell(contestant).map_or_else(String::new, |Cell { median, min, max, .. }| {
        format!("{} ({}–{})", number(*median), number(*min), number(*max))
    })
}

fn score(line: &Line) -> String {
    line.score(Contestant::Lb).map_or_else(String::new, |score| format!("{score:.2}"))
}

/// Three significant digits, or all before the point, in groups of three.
pub fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let digits = whole.len();
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (digits - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_grouped() {
        assert_eq!(number(0.1234), "0.12");
        assert_eq!(number(12.34), "12.3");
        assert_eq!(number(123.4), "123");
        assert_eq!(number(1_234_567.8), "1\u{202f}234\u{202f}568");
    }
}
