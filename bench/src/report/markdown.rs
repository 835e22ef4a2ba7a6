//! `results.md`.

use std::fmt::Write;

use anyhow::Result;

use super::plot::Plot;
use super::{cell, contestants, failover, score};
use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::results::Results;
use crate::row::Row;

pub fn page(results: &Results, plots: &[Plot]) -> Result<String> {
    let mut page = "# lb beside nginx stream, HAProxy and keepalived\n\n".to_owned();
    conditions(&mut page, results)?;
    for row in Row::all() {
        table(&mut page, results, row)?;
    }
    failover::section(&mut page, &results.failover)?;
    failures(&mut page, results)?;
    page += "\n";
    for plot in plots {
        writeln!(page, "![{}]({})\n", plot.title, plot.file)?;
    }
    reading(&mut page, results)?;
    failover::reading(&mut page, &results.failover)?;
    Ok(page)
}

/// On what a run was made, for the beginning of a page.
pub fn machine(page: &mut String, machine: &Machine, programs: &str) -> Result<()> {
    let Machine { cpu, cores, memory_gib, kernel, date, load_before, versions: _, command } = machine;
    writeln!(page, "- When: {date}")?;
    writeln!(page, "- Machine: {cpu}, {cores} cores, {memory_gib} GiB, Linux {kernel}")?;
    if !programs.is_empty() {
        writeln!(page, "- Programs: {programs}")?;
    }
    writeln!(page, "- Command: `{command}`")?;
    writeln!(
        page,
        "- Load average before the run: {load_before} (others were at work if it is not near zero)"
    )?;
    Ok(())
}

fn conditions(page: &mut String, results: &Results) -> Result<()> {
    let settings = &results.settings;
    machine(page, &results.machine, &results.machine.versions.join("; "))?;
    let (cores, seconds) = (results.machine.cores, settings.measure.as_secs_f64());
    writeln!(
        page,
        "- {} rounds of {seconds} s for each row and program, in turns, in one run\n",
        settings.rounds
    )?;
    writeln!(
        page,
        "**Load, servers and proxies share {cores} cores over loopback.** The absolute numbers are those of this machine \
         at that hour; what counts are the ratios inside one run.\n"
    )?;
    writeln!(
        page,
        "A cell is the median over the rounds, with the smallest and the largest. The last column is `lb` against the \
         better of its peers in that line: above 1, `lb` is better, whether more or less is better there.\n"
    )?;
    Ok(())
}

fn table(page: &mut String, results: &Results, row: Row) -> Result<()> {
    let lines: Vec<_> = results.lines.iter().filter(|line| line.row == row).collect();
    let contestants: Vec<Contestant> = contestants(results)
        .into_iter()
        .filter(|one| lines.iter().any(|line| line.cell(*one).is_some()))
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(page, "## {}\n", row.title())?;
    let names: Vec<&str> = contestants.iter().map(|one| one.title()).collect();
    writeln!(page, "| | better | {} | lb / best peer |", names.join(" | "))?;
    writeln!(page, "|---|---|{}---:|", "---:|".repeat(names.len()))?;
    for line in lines {
        let cells: Vec<String> = contestants.iter().map(|one| cell(line, *one)).collect();
        let better = if line.more_is_better { "more" } else { "less" };
        let (metric, unit, cells) = (line.metric, line.unit, cells.join(" | "));
        writeln!(page, "| {metric}, {unit} | {better} | {cells} | {} |", score(line))?;
    }
    writeln!(page)?;
    Ok(())
}

fn failures(page: &mut String, results: &Results) -> Result<()> {
    if results.lines.is_empty() {
        return Ok(());
    }
    if results.failures.is_empty() {
        writeln!(page, "No connection or request of the load failed in any round.")?;
        return Ok(());
    }
    writeln!(page, "## Failures\n")?;
    for failure in &results.failures {
        writeln!(
            page,
            "- {}, {}: {} in one round (first: {})",
            failure.row, failure.contestant, failure.count, failure.first
        )?;
    }
    Ok(())
}

fn reading(page: &mut String, results: &Results) -> Result<()> {
    let workers = results.settings.workers;
    writeln!(
        page,
        "## How it is measured

- Every proxy does the same job: four ports of 127.0.0.1 with accept queues of 4096, round robin over four server
  ports, {workers} workers (nginx: `worker_processes {workers}` and `reuseport`; HAProxy: `nbthread {workers}`; lb:
  `workers: {workers}`), no access log, no health checks, and a connection may be closed in one direction only (nginx:
  `proxy_half_close on`). All else is its default. *HAProxy splice* adds
  `option splice-auto`.
- Every round of every row starts its proxy afresh, and the order turns from round to round. Half a second of
  warm-up comes before the measured time.
- *direct* is the same load without a proxy: what the machine gives at best.
- The load and the servers are processes of their own with {workers} threads each. CPU time is user and system time of
  the proxy's whole process tree in the measured time, divided by what went through in it.
- Latency counts from the request (new connections: from the connect) to the whole response. At the fixed rate it
  counts from the moment at which the request was due, so that a stall counts for all requests that it delays.
- Memory is the growth of the process tree's proportional set size (PSS), divided by the connections. Each of them
  has carried one request before. The kernel's own socket memory is not in it."
    )?;
    Ok(())
}
