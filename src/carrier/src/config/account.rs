//! `accounts:`, one account.

use std::time::Duration;

use settings::{Node, Path, Problem, Section, Setting, Value, between, not_zero};
use wire::protocol::Secret;
use wire::text::Text;

use super::behaviour;
use super::{Account, AccountProtocol, Dial, Mode, Sgip};
use crate::behaviour::Behaviour;

/// Where something is wrong, a fault is noted and the account is left out.
pub(super) fn account(name: &str, mut section: Section<'_>, base: &Behaviour) -> Option<Account> {
    if let Err(why) = name.parse::<domain::Account>() {
        let problem = format!("the account's name {why}");
        section.faults().missing(section.path().clone(), Problem::new(problem, "choose another name"));
    }
    let word = section.required::<ProtocolWord>("protocol");
    let longest = word.as_ref().map_or(16, |word| word.longest_id());
    let id = section.required::<String>("id").and_then(|id| login_name(&section, "id", &id, longest));
    let secret = secret(&mut section, word.as_ref().map_or(usize::MAX, |word| word.longest_secret()));
    let number = section.checked_or_off("number", None, |number: &String| access_number(number));
    let connections = section.checked("connections", 4, between(1, 1000));
    let window = section.checked("window", word.as_ref().map_or(16, ProtocolWord::window), between(1, 1024));
    let rate = section.checked_or_off("rate", None, between(1, 1_000_000));
    let sources = section.list("sources");
    let protocol = word.map(|word| protocol(&mut section, word));
    let own = section.node("behaviour");
    let behaviour = behaviour::behaviour(own, section.faults(), base);
    if let Some(protocol) = &protocol {
        let place = |key: &str| match own.and_then(|own| own.get(key)) {
            Some(node) => node.path.clone(),
            None => Path::default().key("behaviour").key(key),
        };
        behaviour::check(&behaviour, name, protocol, place, section.faults());
    }
    section.finish();
    Some(Account {
        name: name.to_owned(),
        protocol: protocol?,
        id: id?,
        secret: Secret(secret?),
        number,
        connections,
        window,
        rate,
        sources,
        behaviour,
    })
}

#[derive(Clone, Copy)]
enum ProtocolWord {
    Cmpp20,
    Cmpp30,
    Sgip12,
    Smgp30,
}

impl Setting for ProtocolWord {
    const EXPECTED: &'static str = "cmpp-2.0, cmpp-3.0, sgip-1.2 or smgp-3.0";

    fn read(node: &Node) -> Result<Self, Problem> {
        match &node.value {
            Value::Text(word) if word == "cmpp-2.0" => Ok(Self::Cmpp20),
            Value::Text(word) if word == "cmpp-3.0" => Ok(Self::Cmpp30),
            Value::Text(word) if word == "sgip-1.2" => Ok(Self::Sgip12),
            Value::Text(word) if word == "smgp-3.0" => Ok(Self::Smgp30),
            _ => Err(Problem::new("no such protocol is served", format!("write {}", Self::EXPECTED))),
        }
    }
}

impl ProtocolWord {
    fn longest_id(self) -> usize {
        match self {
            Self::Cmpp20 | Self::Cmpp30 => 6,
            Self::Sgip12 => 16,
            Self::Smgp30 => 8,
        }
    }

    /// What is hashed may have any length.
    fn longest_secret(self) -> usize {
        match self {
            Self::Sgip12 => 16,
            Self::Cmpp20 | Self::Cmpp30 | Self::Smgp30 => usize::MAX,
        }
    }

    fn window(&self) -> u16 {
        match self {
            Self::Sgip12 => 32,
            Self::Cmpp20 | Self::Cmpp30 | Self::Smgp30 => 16,
        }
    }
}

fn protocol(section: &mut Section<'_>, word: ProtocolWord) -> AccountProtocol {
    match word {
        ProtocolWord::Cmpp20 => AccountProtocol::Cmpp20,
        ProtocolWord::Cmpp30 => AccountProtocol::Cmpp30,
        ProtocolWord::Sgip12 => AccountProtocol::Sgip12(Sgip {
            node: section.or_off("node", None),
            duplex: section.or("duplex", false),
            idle: section.checked_or_off("idle", Some(Duration::from_secs(60)), not_zero),
            dial: section.section("dial").and_then(dial),
        }),
        ProtocolWord::Smgp30 => {
            let modes: Vec<ModeWord> = section.list("modes");
            let modes = match modes.is_empty() {
                true => vec![Mode::Send, Mode::Receive, Mode::Transmit],
                false => modes.into_iter().map(|ModeWord(mode)| mode).collect(),
            };
            AccountProtocol::Smgp30 { modes }
        }
    }
}

struct ModeWord(Mode);

impl Setting for ModeWord {
    const EXPECTED: &'static str = "send, receive or transmit";

    fn read(node: &Node) -> Result<Self, Problem> {
        match &node.value {
            Value::Text(word) if word == "send" => Ok(Self(Mode::Send)),
            Value::Text(word) if word == "receive" => Ok(Self(Mode::Receive)),
            Value::Text(word) if word == "transmit" => Ok(Self(Mode::Transmit)),
            _ => Err(Problem::new("this is no login mode", format!("write {}", Self::EXPECTED))),
        }
    }
}

fn dial(mut section: Section<'_>) -> Option<Dial> {
    let address = section.required("address");
    let id = section.required::<String>("id").and_then(|id| login_name(&section, "id", &id, 16));
    let secret = secret(&mut section, 16);
    let idle = section.checked("idle", Duration::from_secs(5), not_zero);
    let again = section.checked("again", Duration::from_secs(1), not_zero);
    section.finish();
    Some(Dial { address: address?, id: id?, secret: Secret(secret?), idle, again })
}

fn secret(section: &mut Section<'_>, longest: usize) -> Option<String> {
    let secret = section.required::<String>("secret");
    if secret.as_ref().is_some_and(|secret| secret.len() > longest) {
        // its value is not shown
        let advice = format!("the field holds {longest} bytes");
        let problem = Problem::new("this is too long for its field", advice);
        section.faults().missing(section.path().key("secret"), problem);
    }
    secret
}

fn login_name(section: &Section<'_>, key: &str, id: &str, longest: usize) -> Option<Text<16>> {
    let text = id.parse().ok().filter(|_| id.len() <= longest);
    if text.is_none() {
        let advice = format!("this protocol's field holds {longest} bytes");
        section.fault(key, Problem::new("this is too long for its field", advice));
    }
    text
}

fn access_number(number: &str) -> Result<(), Problem> {
    let digits = number.bytes().all(|b| b.is_ascii_digit()) && (1..=20).contains(&number.len());
    if digits { Ok(()) } else { Err(Problem::new("this is no number", "write 1 to 20 digits, in quotes")) }
}
