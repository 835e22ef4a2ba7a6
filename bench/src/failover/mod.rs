//! What a client notices when the host that serves it breaks: pairs of hosts as network namespaces, a client that
//! connects to their virtual address every millisecond, and its longest wait.

mod node;
mod results;
mod scenario;

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use testkit::gap::Gap;
use testkit::pair::{Pair, Side, VIP};

use self::node::Node;
pub use self::results::{Cell, Failover, Gaps, Line};
pub use self::scenario::Scenario;
use crate::contestant::Contestant;

/// Of both pairs.
const ADVERT: Duration = Duration::from_millis(10);
/// A gap that is longer is not waited for.
pub const LIMIT: Duration = Duration::from_secs(3);
/// What comes later than this after the event does not belong to it.
const LEAST: Duration = Duration::from_secs(1);
/// The check script runs once in this time; the events are spread over it.
const PHASES: Duration = Duration::from_secs(1);
/// Until a fresh pair serves.
const START: Duration = Duration::from_secs(30);

/// One try of one scenario with one pair, which is made for it and gone afterwards: nothing is left from the last
/// one, and each begins with the first host active, the second ready, and both servers well.
///
/// # Errors
/// A program does not start, or the pair does not come to serve.
pub fn trial(scenario: Scenario, contestant: Contestant, phase: f64, workers: usize) -> Result<Gap> {
    let pair = Pair::new()?;
    let mut standby = Node::start(contestant, &pair, Side::B, workers)?;
    let mut active = Node::start(contestant, &pair, Side::A, workers)?;
    let outcome = measure(scenario, &pair, &mut active, phase);
    outcome.with_context(|| format!("first host:\n{}second host:\n{}", active.log(), standby.log()))
}

fn measure(scenario: Scenario, pair: &Pair, active: &mut Node, phase: f64) -> Result<Gap> {
    pair.wait_holder(VIP, Side::A)?;
    let client = pair.start_client(VIP)?;
    client.wait_steady(START)?;
    thread::sleep(PHASES.mul_f64(phase));
    let event = Instant::now();
    match scenario {
        Scenario::PowerCut => {
            pair.a.unplug()?;
            active.kill_all();
        }
        Scenario::GracefulStop => active.stop()?,
        Scenario::LinkDown => pair.a.ip(&["link", "set", "eth0", "down"])?,
        Scenario::ProxyKilled => active.kill_proxy()?,
        Scenario::ProxyHung => active.hang_proxy()?,
        Scenario::ServerUnplugged => {
            let [server, _] = &pair.servers;
            server.host.unplug()?;
        }
    }
    thread::sleep(LEAST);
    while !client.is_steady() && event.elapsed() < LIMIT {
        thread::sleep(Duration::from_millis(10));
    }
    client.stop(event)
}
