//! What happens, in order.

use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use testkit::backend::{Backend, Behaviour};
use testkit::lb::Lb;
use testkit::ports;

use crate::clients::{CLIENTS, Clients};

/// Answers that are enough to see shares.
const ENOUGH: usize = 400;

pub fn tell() -> Result<()> {
    let mut a = Backend::start(Behaviour::Name("empi-a".to_owned()))?;
    let b = Backend::start(Behaviour::Name("empi-b".to_owned()))?;
    let port = ports::reserve()?;
    let config = |tier_of_b| config(port.address(), &a, &b, tier_of_b);
    let (two_tiers, one_tier) = (config(2), config(1));
    let mut lb = Lb::start(&two_tiers)?;

    let story = Story::new();
    say(
        "A bank's line: clients → lb → empi-a, with empi-b as its backup. Every request is a connection of its own,",
    );
    say("every byte that comes back is checked.\n");
    story.tell(&format!("{CLIENTS} clients ask {} all the time", port.address()));
    let clients = Clients::start(port.address())?;

    let answers = clients.answers(story.start, ENOUGH)?;
    ensure!(answers.percent("empi-a") == 100, "empi-a is not the one that answers: {answers:?}");
    story.tell(&format!("{} requests answered, all by empi-a", answers.total()));

    let killing = Instant::now();
    a.kill();
    let killed = Instant::now();
    story.tell("empi-a is killed");
    let failover = clients.first_answer_of("empi-b", killing)?.duration_since(killing);
    let answers = clients.answers(killed, ENOUGH)?;
    ensure!(answers.percent("empi-b") == 100, "empi-b is not the one that answers: {answers:?}");
    let failed = clients.since(killed).iter().filter(|request| request.answer.is_err()).count();
    story.tell(&format!(
        "first answer of empi-b {} after the kill; {} answers since, {failed} failed",
        milliseconds(failover),
        answers.total()
    ));

    let back = Instant::now();
    a.restart()?;
    story.tell("empi-a is back");
    let took = clients.first_answer_of("empi-a", back)?.duration_since(back);
    story.tell(&format!("two checks passed: it answers again after {}", milliseconds(took)));
    clients.open_long();

    let plan = reload(&lb, &one_tier)?;
    story.tell("reload under load: both servers in one tier");
    plan.lines().for_each(|line| say(&format!("              {line}")));
    story.shares(&clients, "now they share", 40..=60)?;

    lb.ctl(&["server", "weight", "bank/empi-a", "3"])?;
    story.tell("lb server weight bank/empi-a 3");
    story.shares(&clients, "three to one", 70..=80)?;

    lb.ctl(&["server", "drain", "bank/empi-a"])?;
    story.tell("lb server drain bank/empi-a");
    story.shares(&clients, "nothing new for empi-a", 0..=0)?;
    lb.ctl(&["server", "ready", "bank/empi-a"])?;

    story.tell("lb status");
    say("");
    lb.ctl(&["status"])?.lines().for_each(|line| say(format!("    {line}").trim_end()));
    say("");

    let (cut, failed): (Vec<_>, Vec<_>) = clients
        .since(story.start)
        .into_iter()
        .filter(|request| request.answer.is_err())
        .partition(|request| request.began <= killed && request.ended >= killing);
    let total = clients.since(story.start).len();
    let long = clients.stop()?;
    story.tell(&format!(
        "{total} requests, {} failed ({} were being answered by empi-a when it was killed)",
        failed.len(),
        cut.len()
    ));
    story.tell(&format!(
        "one connection to {} stayed open through reload, weight and drain: {} exchanges, every byte right",
        long.server, long.exchanges
    ));
    lb.signal(Signal::SIGTERM)?;
    let status = lb.process().wait_exit(Duration::from_secs(10))?;
    story.tell("lb has stopped, with nothing left to drain");

    ensure!(status.success(), "lb ended with {status}; its log:\n{}", lb.log());
    ensure!(failed.is_empty(), "{} requests failed; the first: {:?}", failed.len(), failed.first());
    ensure!(long.exchanges > 0, "the long connection carried nothing");
    Ok(())
}

pub struct Story {
    start: Instant,
}

impl Story {
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }

    pub fn start(&self) -> Instant {
        self.start
    }

    pub fn tell(&self, what: &str) {
        say(&format!("  {:>6.2} s   {what}", self.start.elapsed().as_secs_f64()));
    }

    /// What share of the requests from now on empi-a answers.
    fn shares(&self, clients: &Clients, what: &str, wanted: std::ops::RangeInclusive<usize>) -> Result<()> {
        let answers = clients.answers(Instant::now(), ENOUGH)?;
        let percent = answers.percent("empi-a");
        self.tell(&format!("{what}: empi-a {percent} %, empi-b {} %", answers.percent("empi-b")));
        ensure!(wanted.contains(&percent), "empi-a should answer {wanted:?} % of the requests: {answers:?}");
        Ok(())
    }
}

/// Puts the file in place, shows the plan, applies it.
fn reload(lb: &Lb, config: &str) -> Result<String> {
    lb.write(config)?;
    let file = lb.config_path();
    let plan = lb.ctl(&["plan", &file.display().to_string()])?;
    lb.ctl(&["reload"])?;
    Ok(plan)
}

fn config(listen: SocketAddr, a: &Backend, b: &Backend, tier_of_b: u8) -> String {
    format!(
        "listeners:\n  - {{ name: bank, bind: \"{listen}\", pool: bank }}\n\
         pools:\n  - name: bank\n    check: {{ type: tcp, interval: 200ms, rise: 2, fall: 2 }}\n    \
         servers:\n      \
         - {{ name: empi-a, address: \"{}\", priority: 1 }}\n      \
         - {{ name: empi-b, address: \"{}\", priority: {tier_of_b} }}\n",
        a.address(),
        b.address()
    )
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.0} ms", duration.as_secs_f64() * 1e3)
}

/// Prints a line; a reader that has gone away is no failure of the demo.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
