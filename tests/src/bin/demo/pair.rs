//! The second act: two hosts, one virtual address, and the end of the one that has it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use testkit::gap::{Gap, GapClient};
use testkit::lb::Lb;
use testkit::netns::Net;
use testkit::pair::{PORT, Pair, Side, VIP};

use crate::story::{Story, say};

const SOON: Duration = Duration::from_secs(20);

pub fn tell() -> Result<()> {
    if let Err(why) = Net::available() {
        say(&format!("\nThe second act needs network namespaces of its own, and is left out: {why}"));
        return Ok(());
    }
    let pair = Pair::new()?;
    let config = config(&pair);
    let mut hosts = [pair.start_lb(Side::A, &config)?, pair.start_lb(Side::B, &config)?];
    pair.wait_holder(VIP, Side::A)?;

    let story = Story::new();
    say(&format!(
        "\nThe pair: lb-a and lb-b, each with lb, share {VIP}. A client connects there every millisecond.\n"
    ));
    let client = pair.start_client(VIP)?;
    client.wait_steady(SOON)?;
    story.tell("lb-a has the address");

    let [a, b] = &mut hosts;
    let stopped = story.act(&pair, &client, "SIGSTOP: lb-a hangs", Side::B, || a.signal(Signal::SIGSTOP))?;
    let back = story.act(&pair, &client, "SIGCONT: it goes on, and is the better one", Side::A, || {
        a.signal(Signal::SIGCONT)
    })?;
    let killed = story.act(&pair, &client, "SIGKILL: lb-a is dead; its guard lets go", Side::B, || {
        a.signal(Signal::SIGKILL)
    })?;
    let failed = client.stop(story.start())?.failures;
    story.tell(&format!("{failed} connections failed in all"));

    story.tell("lb timeline on lb-b:");
    say("");
    b.ctl(&["timeline", "--last", "12"])?.lines().for_each(|line| say(&format!("    {line}")));
    say("");
    ensure!([&stopped, &back, &killed].iter().all(|gap| gap.over), "a gap has no end");
    Ok(())
}

impl Story {
    /// Does something to the pair, and measures what the client notices.
    fn act(
        &self,
        pair: &Pair,
        client: &GapClient,
        what: &str,
        then_at: Side,
        act: impl FnOnce() -> Result<()>,
    ) -> Result<Gap> {
        let from = Instant::now();
        act()?;
        self.tell(what);
        pair.wait_holder(VIP, then_at)?;
        client.wait_steady(SOON)?;
        let gap = client.gap(from);
        let longest = gap.longest.as_secs_f64() * 1e3;
        self.tell(&format!("{} has the address; longest gap of the client: {longest:.1} ms", then_at.node()));
        Ok(gap)
    }
}

fn config(pair: &Pair) -> String {
    let [first, second] = pair.server_addresses();
    format!(
        "listeners:\n  - {{ name: bank, bind: \"{VIP}:{PORT}\", pool: empi }}\n\
         pools:\n  - name: empi\n    servers:\n      \
         - {{ name: empi-a, address: \"{first}\" }}\n      - {{ name: empi-b, address: \"{second}\" }}\n\
         vrrp:\n  - {{ name: bank-vip, interface: eth0, vrid: 51, priority: 250, advert_interval: 10ms, \
         addresses: [\"{VIP}/24\"] }}\n\
         nodes:\n  lb-a: {{}}\n  lb-b: {{ vrrp: [ {{ name: bank-vip, priority: 240 }} ] }}\n"
    )
}
