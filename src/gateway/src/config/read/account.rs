//! `accounts:`.

use std::net::IpAddr;
use std::time::Duration;

use domain::text::{Place, Preference, ReferenceWidth, Signature};
use ipnet::IpNet;
use settings::{Address, Name, Problem, Section, between, not_zero};
use wire::exchange::Profile;
use wire::protocol::{Credentials, Secret};
use wire::text::Text;

use super::secret::{PASSWORD, SECRET, secret};
use super::timers::{backoff, slow_down, timers};
use super::value::{AccessNumber, Field, Span, at_most, digits};
use crate::config::{Account, Backoff, Host, Hours, Listen, Login, Protocol, TextRules};

/// What is wrong is noted; `None` where something that has no default is missing or wrong.
pub(super) fn account(mut all: Section<'_>, host: &dyn Host) -> Option<Account> {
    let section = &mut all;
    let name = section.required("name").map(|name: Name<domain::Account>| name.0);
    // without it nobody knows what the other keys mean
    let protocol = protocol(section)?;
    let server: Option<Address> = section.required("server");
    let source = source(section, server.as_ref());
    let credentials = credentials(section, protocol, host);
    let profile = profile(section, protocol, credentials.as_ref());
    let logins = logins(section, protocol, credentials, profile.node);
    let window =
        section.checked("window", if protocol == Protocol::Sgip12 { 32 } else { 16 }, between(1, 1024));
    let timers = timers(section.section("timers"), protocol);
    let reconnect = backoff(section.section("reconnect"), RECONNECT);
    let rate = section.checked_or_off("rate", None, between(1, 1_000_000));
    let slow_down = slow_down(section.section("slow_down"), rate);
    let retry = backoff(section.section("retry"), RETRY);
    let number = section.required("number").map(|number: AccessNumber| number.0);
    let hours = Hours { spans: section.list("hours").into_iter().map(|span: Span| span.0).collect() };
    let text = text(section);
    let mo_wait = section.checked("mo_wait", Duration::from_secs(600), not_zero);
    let listen = listen(section, protocol, host);
    all.finish();
    Some(Account {
        name: name?,
        protocol,
        server: server?,
        source,
        logins: logins?,
        window,
        timers,
        reconnect,
        rate,
        slow_down,
        retry,
        number: number?,
        profile,
        hours,
        text,
        mo_wait,
        listen,
    })
}

const RECONNECT: Backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(60) };
const RETRY: Backoff = Backoff { first: Duration::from_secs(5), most: Duration::from_secs(300) };

/// Notes that `key` is there though the protocol has no use for it.
pub(super) fn only(section: &Section<'_>, key: &str, fits: bool, why: &str) {
    if !fits && section.has(key) {
        section.fault(key, Problem::new(format!("`{key}` means nothing here: {why}"), "remove it"));
    }
}

fn protocol(section: &mut Section<'_>) -> Option<Protocol> {
    let all = [Protocol::Cmpp20, Protocol::Cmpp30, Protocol::Sgip12, Protocol::Smgp30];
    if section.node("protocol").is_none() {
        let words: Vec<&str> = all.iter().map(|protocol| protocol.word()).collect();
        section.missing("protocol", &format!("add `protocol: …`, one of {}", words.join(", ")));
        return None;
    }
    section.choice("protocol", &all.map(|protocol| (protocol.word(), Some(protocol))), None)
}

fn source(section: &mut Section<'_>, server: Option<&Address>) -> Option<IpAddr> {
    let source: Option<IpAddr> = section.optional("source");
    if let (Some(source), Some(Address::Socket(server))) = (source, server)
        && source.is_ipv4() != server.is_ipv4()
    {
        let advice = "write an address of this host of the same kind as that of `server`";
        section.fault("source", Problem::new("from here the server cannot be reached", advice));
    }
    source
}

/// Of a connection that sends; the node comes later.
fn credentials(section: &mut Section<'_>, protocol: Protocol, host: &dyn Host) -> Option<Credentials> {
    let (id, secret_length, mode) = match protocol {
        Protocol::Cmpp20 | Protocol::Cmpp30 => (6, 64, 0),
        Protocol::Sgip12 => (16, 16, 1),
        Protocol::Smgp30 => (8, 15, 2),
    };
    let id = field_at_most(section, "id", id);
    if id.is_none() && !section.has("id") {
        section.missing("id", "add `id: …`, the name that the carrier has given you");
    }
    let secret = secret(section, SECRET, secret_length, host);
    Some(Credentials { id: id?, secret: secret?, version: protocol.version(), mode, node: 0 })
}

/// Where the file says nothing of the enterprise, CMPP and SMGP have the id for it.
fn profile(section: &mut Section<'_>, protocol: Protocol, credentials: Option<&Credentials>) -> Profile {
    let is_sgip = protocol == Protocol::Sgip12;
    let is_smgp = protocol == Protocol::Smgp30;
    let enterprise = match protocol {
        Protocol::Cmpp20 | Protocol::Cmpp30 => field_at_most(section, "enterprise", 6),
        Protocol::Smgp30 => field_at_most(section, "enterprise", 8),
        Protocol::Sgip12 => {
            if section.node("enterprise").is_none() {
                section.missing("enterprise", "add `enterprise: …`, the five digits of your `CorpId`");
            }
            field_of_digits(section, "enterprise", 5, 5)
        }
    };
    let of_id = || credentials.filter(|_| !is_sgip).and_then(|own| Text::new(own.id.as_bytes()).ok());
    let enterprise = enterprise.or_else(of_id).unwrap_or_default();
    let fee_type = if is_sgip { 1 } else { 2 };
    let profile = Profile {
        enterprise,
        service: section.optional("service").map(|field: Field<10>| field.0).unwrap_or_default(),
        product: section.optional("product").map(|field: Field<21>| field.0).unwrap_or_default(),
        fee_type: field_of_digits(section, "fee_type", fee_type, fee_type).unwrap_or_default(),
        fee_code: field_of_digits(section, "fee_code", 1, 6).unwrap_or_default(),
        node: node(section, protocol, &enterprise),
    };
    only(section, "product", is_smgp, "only SMGP has it");
    profile
}

/// SGIP: as the file says it, or made of the area code and the enterprise: 3AAAAQQQQQ.
fn node(section: &mut Section<'_>, protocol: Protocol, enterprise: &Text<8>) -> u32 {
    let is_sgip = protocol == Protocol::Sgip12;
    only(section, "node", is_sgip, "only SGIP has node numbers");
    only(section, "area", is_sgip, "only SGIP has node numbers");
    let node: Option<u32> = section.optional("node");
    let area: Option<Text<4>> = field_of_digits(section, "area", 3, 4);
    if !is_sgip {
        return 0;
    }
    match (node, area) {
        (Some(_), Some(_)) => {
            section.fault("area", Problem::new("`node` says this too", "remove one of the two"));
            0
        }
        (Some(node), None) => node,
        (None, Some(area)) => {
            let (area, corporation) = (format!("{:0<4}", area.to_text()), enterprise.to_text());
            // an enterprise that is missing has been noted
            format!("3{area}{corporation:0>5}").parse().unwrap_or_else(|_| {
                let advice = "write the area code with its leading zero, such as \"010\"";
                section.fault("area", Problem::new("this makes no node number", advice));
                0
            })
        }
        (None, None) => {
            if !section.has("node") && !section.has("area") {
                section.missing("area", "add `area: …` such as \"010\", or the whole number as `node: …`");
            }
            0
        }
    }
}

/// One for each connection.
fn logins(
    section: &mut Section<'_>,
    protocol: Protocol,
    credentials: Option<Credentials>,
    node: u32,
) -> Option<Vec<Login>> {
    let connections = section.checked("connections", 1_u8, between(1, 64));
    let is_smgp = protocol == Protocol::Smgp30;
    let modes = [("transmit", false), ("send-and-receive", true)];
    let is_pair = section.choice("mode", &modes, false);
    only(section, "mode", is_smgp, "only SMGP has modes of login");
    let mut sending = Login { credentials: Credentials { node, ..credentials? }, sends: true };
    if !(is_smgp && is_pair) {
        return Some(vec![sending; usize::from(connections)]);
    }
    sending.credentials.mode = 0;
    let mut receiving = Login { sends: false, ..sending.clone() };
    receiving.credentials.mode = 1;
    let mut logins = vec![sending; usize::from(connections)];
    logins.push(receiving);
    Some(logins)
}

fn text(section: &mut Section<'_>) -> TextRules {
    let signature = section.section("signature").and_then(|mut signature| {
        let text = signature.required("text");
        let place = signature.choice("at", &[("start", Place::Start), ("end", Place::End)], Place::Start);
        signature.finish();
        Some(Signature { text: text?, place })
    });
    let reference = section.checked("reference", 8_u8, |bits| match bits {
        8 | 16 => Ok(()),
        _ => Err(Problem::new("there is no such reference", "write 8 or 16, in bits")),
    });
    TextRules {
        coding: section.choice(
            "coding",
            &[("ucs2", Preference::Ucs2), ("gb18030", Preference::Gb18030)],
            Preference::Ucs2,
        ),
        reference: if reference == 8 { ReferenceWidth::Eight } else { ReferenceWidth::Sixteen },
        most_parts: section.checked("most_parts", 10, between(1, 255)),
        signature,
    }
}

fn listen(section: &mut Section<'_>, protocol: Protocol, host: &dyn Host) -> Option<Listen> {
    let part = section.section("listen");
    let is_sgip = protocol == Protocol::Sgip12;
    only(section, "listen", is_sgip, "only SGIP carriers connect to their customers");
    if !is_sgip {
        return None;
    }
    let Some(mut part) = part else {
        if !section.has("listen") {
            let advice = "add `listen: …`: reports and users' messages come on connections from the carrier";
            section.missing("listen", advice);
        }
        return None;
    };
    let address = part.required("address");
    let name = part.required("name").map(|name: Field<16>| name.0);
    let password: Option<Secret> = secret(&mut part, PASSWORD, 16, host);
    let carriers: Vec<IpNet> = part.list("carriers");
    if part.items("carriers").is_empty() {
        part.missing("carriers", "add `carriers: …`, the addresses that the carrier connects from");
    }
    part.finish();
    Some(Listen { address: address?, name: name?, password: password?, carriers })
}

fn field_at_most<const N: usize>(
    section: &mut Section<'_>,
    key: &'static str,
    most: usize,
) -> Option<Text<N>> {
    checked_field(section, key, at_most(most))
}

fn field_of_digits<const N: usize>(
    section: &mut Section<'_>,
    key: &'static str,
    least: usize,
    most: usize,
) -> Option<Text<N>> {
    checked_field(section, key, digits(least, most))
}

fn checked_field<const N: usize>(
    section: &mut Section<'_>,
    key: &'static str,
    check: impl Fn(&Field<N>) -> Result<(), Problem>,
) -> Option<Text<N>> {
    let field = section.optional(key)?;
    check(&field).map_err(|problem| section.fault(key, problem)).ok().map(|()| field.0)
}
