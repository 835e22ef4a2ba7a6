//! The processes, how they are connected, and which of them can be killed.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;

use super::{Bank, Engines, Mailbox};
use crate::http;
use crate::lb::Lb;
use crate::line::keys::quoted;
use crate::line::protocol::ACCOUNT;
use crate::line::{Carrier, Keys, Node, Protocol};
use crate::place::Place;
use crate::ports::{self, Port};
use crate::wait;

/// The bank's system, its key and its secret.
pub const BANK: &str = "core-banking";
const KEY: &str = "key-1";
const SECRET: &str = "fedcba9876543210fedcba9876543210";
/// The two EMPIs are one for the line.
const EMPI: &str = "bank";
/// Who may ask the center, and send there.
pub const OPERATOR: &str = "0123456789abcdef0123456789abcdef";

/// Until everything has found each other.
const SETTLE: Duration = Duration::from_secs(60);

/// Everything at work; ends when this is dropped.
#[derive(Debug)]
pub struct House {
    pub empis: [Node; 2],
    pub uaops: [Node; 2],
    pub gateways: [Node; 2],
    pub center: Node,
    pub lb: Lb,
    pub carrier: Carrier,
    pub engines: Engines,
    lb_config: String,
    ports: Ports,
}

/// A process that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Empi(usize),
    Uaop(usize),
    Gateway(usize),
    Center,
    Lb,
    Carrier,
    Broker,
    Database,
}

#[derive(Debug)]
struct Ports {
    /// Of lb: for the bank, and for the EMPIs.
    bank: Port,
    core: Port,
    empis: [Port; 2],
    uaops: [Port; 2],
    gateways: [Port; 2],
    center: Port,
}

/// What may differ.
#[derive(Clone, Debug)]
pub struct Scene {
    pub empi: Keys,
    pub uaop: Keys,
    pub gateway: Keys,
    pub center: Keys,
    /// Of the carrier's account.
    pub customer: Keys,
}

impl Scene {
    /// A carrier without faults that reports soon.
    #[must_use]
    pub fn new() -> Self {
        let customer = Keys::new().set("behaviour", "{ report: 5ms }");
        Self { empi: Keys::new(), uaop: Keys::new(), gateway: Keys::new(), center: Keys::new(), customer }
    }

    /// Starts everything and waits until it is ready.
    ///
    /// # Errors
    /// A process does not start or does not get ready; with its log.
    pub fn start(self, engines: Engines) -> Result<House> {
        let mut house = self.start_unready(engines)?;
        house.wait_ready()?;
        Ok(house)
    }

    /// As [`Scene::start`], without waiting.
    ///
    /// # Errors
    /// A process does not start.
    pub fn start_unready(self, engines: Engines) -> Result<House> {
        let ports = Ports::reserve()?;
        let protocol = Protocol::Cmpp20;
        let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
        let customer = self.customer.over(protocol.customer(nobody));
        let carrier = Carrier::start(&Keys::new().set("accounts", Keys::new().set(ACCOUNT, customer)))?;
        let account = protocol.account(carrier.address(protocol), nobody);
        let gateways = [0, 1].map(|at| gateway(&self.gateway, &account, &ports, at));
        let uaops = [0, 1].map(|at| uaop(&self.uaop, &engines, &ports, at));
        let empis = [0, 1].map(|at| empi(&self.empi, &engines, &ports, at));
        let [gateway_1, gateway_2] = gateways;
        let [uaop_1, uaop_2] = uaops;
        let [empi_1, empi_2] = empis;
        let lb_config = lb_config(&ports);
        Ok(House {
            gateways: [gateway_1?, gateway_2?],
            center: center(&self.center, &engines, &ports)?,
            uaops: [uaop_1?, uaop_2?],
            empis: [empi_1?, empi_2?],
            lb: Lb::start(&lb_config)?,
            carrier,
            engines,
            lb_config,
            ports,
        })
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

impl House {
    /// Everything as it is by default.
    ///
    /// # Errors
    /// As [`Scene::start`].
    pub fn start(engines: Engines) -> Result<Self> {
        Scene::new().start(engines)
    }

    /// The bank, in front of the virtual address.
    #[must_use]
    pub fn bank(&self) -> Bank {
        self.bank_at(self.ports.bank.address())
    }

    /// The bank, in front of one EMPI.
    #[must_use]
    pub fn bank_of(&self, empi: usize) -> Bank {
        self.bank_at(self.ports.empis[empi].address())
    }

    fn bank_at(&self, server: SocketAddr) -> Bank {
        Bank::new(Place::Here, server, KEY, SECRET)
    }

    /// All that the bank is told from now on, and was told before.
    #[must_use]
    pub fn mailbox(&self) -> Mailbox {
        Mailbox::follow(self.bank())
    }

    /// Asks the center, as an operator.
    ///
    /// # Errors
    /// There is no answer.
    pub fn operator(&self, method: &str, path: &str, body: &str) -> Result<http::Response> {
        let token = format!("Bearer {OPERATOR}");
        http::request(self.ports.center.address(), method, path, &[("Authorization", &token)], body)
    }

    /// Waits until every process says that it is ready.
    ///
    /// # Errors
    /// One does not; with its log.
    pub fn wait_ready(&mut self) -> Result<()> {
        let Self { empis, uaops, gateways, center, .. } = self;
        let nodes = gateways.iter_mut().chain(uaops).chain([center]).chain(empis);
        nodes.into_iter().try_for_each(Node::wait_ready)
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// These engines have no such process.
    pub fn kill(&mut self, part: Part) -> Result<()> {
        match part {
            Part::Empi(at) => self.empis[at].kill(),
            Part::Uaop(at) => self.uaops[at].kill(),
            Part::Gateway(at) => self.gateways[at].kill(),
            Part::Center => self.center.kill(),
            Part::Lb => self.lb.process().kill(),
            Part::Carrier => self.carrier.kill(),
            Part::Broker => self.engines.kill_broker()?,
            Part::Database => self.engines.kill_database()?,
        }
        Ok(())
    }

    /// Starts what was killed, and waits until it serves.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_again(&mut self, part: Part) -> Result<()> {
        match part {
            Part::Empi(at) => self.empis[at].start_again(),
            Part::Uaop(at) => self.uaops[at].start_again(),
            Part::Gateway(at) => self.gateways[at].start_again(),
            Part::Center => self.center.start_again(),
            Part::Lb => {
                self.lb = Lb::start(&self.lb_config)?;
                Ok(())
            }
            Part::Carrier => self.carrier.start_again(),
            Part::Broker => self.engines.start_broker(),
            Part::Database => self.engines.start_database(),
        }
    }

    /// Waits until the carrier has got rid of its reports and messages of users.
    ///
    /// # Errors
    /// The deadline has passed; with its counts.
    pub fn wait_delivered(&self) -> Result<()> {
        let control = self.carrier.control();
        let mut last = None;
        let result = wait::until("the carrier's reports and MO", SETTLE, || {
            let counts = control.counts().ok()?;
            let done = counts.reports.is_done() && counts.mo.is_done();
            last = Some(counts);
            done.then_some(())
        });
        result.map_err(|error| error.context(format!("{last:#?}")))
    }

    /// The logs of all roles, for a test that looks for what must not be there.
    #[must_use]
    pub fn logs(&self) -> String {
        let nodes = self.empis.iter().chain(&self.uaops).chain(&self.gateways).chain([&self.center]);
        nodes.map(Node::log).collect()
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empi(at) => write!(f, "empi {at}"),
            Self::Uaop(at) => write!(f, "uaop {at}"),
            Self::Gateway(at) => write!(f, "gateway {at}"),
            Self::Center => f.write_str("center"),
            Self::Lb => f.write_str("lb"),
            Self::Carrier => f.write_str("carrier"),
            Self::Broker => f.write_str("broker"),
            Self::Database => f.write_str("database"),
        }
    }
}

impl Ports {
    fn reserve() -> Result<Self> {
        let pair = || -> Result<[Port; 2]> { Ok([ports::reserve()?, ports::reserve()?]) };
        Ok(Self {
            bank: ports::reserve()?,
            core: ports::reserve()?,
            empis: pair()?,
            uaops: pair()?,
            gateways: pair()?,
            center: ports::reserve()?,
        })
    }
}

fn gateway(keys: &Keys, account: &Keys, ports: &Ports, at: usize) -> Result<Node> {
    let prepared = Node::prepare("gateway")?;
    let dir = prepared.dir();
    let config = keys
        .clone()
        .set("gateway", format!("cm-{}", at + 1))
        .set("site", "dc-1")
        .set("spool", quoted(dir.join("spool").display()))
        .set("uplink", quoted(dir.join("uplink.sock").display()))
        .set("link", listen(&ports.gateways[at]))
        .set("accounts", format!("[ {account} ]"));
    prepared.start(config)
}

fn uaop(keys: &Keys, engines: &Engines, ports: &Ports, at: usize) -> Result<Node> {
    let prepared = Node::prepare("uaop")?;
    let gateways: Vec<String> = [0, 1]
        .iter()
        .map(|&at: &usize| {
            let address = quoted(ports.gateways[at].address());
            Keys::new()
                .set("name", format!("cm-{}", at + 1))
                .set("address", address)
                .set("carrier", "mobile")
                .to_string()
        })
        .collect();
    let config = keys
        .clone()
        .set("node", format!("uaop-{}", at + 1))
        .set("site", "dc-1")
        .set("link", listen(&ports.uaops[at]))
        .set("bus", engines.bus())
        .set("gateways", format!("[ {} ]", gateways.join(", ")));
    prepared.start(config)
}

fn empi(keys: &Keys, engines: &Engines, ports: &Ports, at: usize) -> Result<Node> {
    let prepared = Node::prepare("empi")?;
    let node = format!("empi-{}", ["a", "b"][at]);
    let bank = Keys::new()
        .set("name", BANK)
        .set("keys", format!("[ {} ]", Keys::new().set("key", KEY).set("secret", quoted(SECRET))))
        .set("sources", "[ 127.0.0.0/8 ]");
    let config = keys
        .clone()
        .or("classes", "[ notice, verification ]")
        .set("empi", EMPI)
        .set("node", &node)
        .set("site", "dc-1")
        .set("http", listen(&ports.empis[at]))
        .set("store", engines.store("empi", prepared.dir()))
        .set("bus", engines.bus())
        .set(
            "uaops",
            format!("{{ {}, servers: [ {{ name: core, address: \"{}\" }} ] }}", POOL, ports.core.address()),
        )
        .set("banks", format!("[ {bank} ]"));
    prepared.start(config)
}

fn center(keys: &Keys, engines: &Engines, ports: &Ports) -> Result<Node> {
    let prepared = Node::prepare("center")?;
    let operator = Keys::new()
        .set("name", "operator")
        .set("token", quoted(OPERATOR))
        .set("rights", "[ read, send ]")
        .set("numbers", true);
    let number = Keys::new().set("prefix", quoted(crate::line::protocol::ACCESS_NUMBER)).set("empi", EMPI);
    let config = keys
        .clone()
        .set("node", "center-1")
        .set("site", "dc-1")
        .set("http", listen(&ports.center))
        .set("store", engines.store("center", prepared.dir()))
        .set("bus", engines.bus())
        .set(
            "uaops",
            format!("{{ {}, servers: [ {{ name: core, address: \"{}\" }} ] }}", POOL, ports.core.address()),
        )
        .set("numbers", format!("[ {number} ]"))
        .set("operators", format!("[ {operator} ]"));
    prepared.start(config)
}

const POOL: &str = "check: { interval: 200ms, timeout: 500ms }";

fn listen(port: &Port) -> Keys {
    Keys::new().set("listen", quoted(port.address()))
}

fn lb_config(ports: &Ports) -> String {
    let server = |name: &str, port: &Port, priority: u8| {
        format!("{{ name: {name}, address: \"{}\", priority: {priority} }}", port.address())
    };
    let [empi_a, empi_b] = &ports.empis;
    let [uaop_1, uaop_2] = &ports.uaops;
    format!(
        "listeners:\n  - {{ name: bank, bind: \"{}\", pool: empi }}\n  - {{ name: core, bind: \"{}\", pool: uaop }}\n\
         pools:\n  - {{ name: empi, {CHECK}, servers: [ {}, {} ] }}\n  - {{ name: uaop, {CHECK}, servers: [ {}, {} ] }}\n",
        ports.bank.address(),
        ports.core.address(),
        server("empi-a", empi_a, 1),
        server("empi-b", empi_b, 2),
        server("uaop-1", uaop_1, 1),
        server("uaop-2", uaop_2, 1),
    )
}

const CHECK: &str = "check: { type: tcp, interval: 100ms, timeout: 500ms, rise: 1, fall: 1 }";
