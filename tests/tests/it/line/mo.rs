//! What users write.

use domain::{Happened, MessageText, Party};
use testkit::line::Protocol;
use testkit::line::protocol::{ACCESS_NUMBER, ACCOUNT};
use wire::exchange::{Incoming, MessageId, Mo};
use wire::protocol::Messages;
use wire::text::Text;

use super::fake::Fake;
use super::{SOON, line, over_each_protocol, with_wire};

over_each_protocol! {
    users_texts_come_whole
    parts_come_together_over_two_connections_with_a_kill_between
}

const USER: &str = "13712345678";

fn users_texts_come_whole(protocol: Protocol) {
    let line = line(protocol);
    let to = format!("{ACCESS_NUMBER}42");
    let texts = [
        "TD".to_owned(),
        "查询余额".to_owned(),
        "很长的话，".repeat(40),
        "long words ".repeat(40),
        "😀".repeat(90),
    ];
    for text in &texts {
        line.carrier.control().mo(USER, &to, text).unwrap();
    }
    line.feed.wait_count("mo", texts.len(), SOON).unwrap();
    line.wait_delivered(SOON).unwrap();
    let mut came: Vec<String> = line.feed.look(|seen| {
        let texts = seen.events.iter().filter_map(|told| match &told.event.happened {
            Happened::Mo { from, to: number, text, .. } => {
                assert_eq!((from, number), (&Party(USER.to_owned()), &Party(to.clone())));
                Some(text.0.clone())
            }
            _ => None,
        });
        texts.collect()
    });
    let mut sent = texts.to_vec();
    sent.sort();
    came.sort();
    assert_eq!(came, sent);
    let whole = [("account", ACCOUNT), ("kind", "whole")];
    assert_eq!(line.gateway.metrics().unwrap().sum("gateway_mo_total", &whole), texts.len() as f64);
    let log = line.gateway.log() + &line.carrier.log();
    assert!(!log.contains(USER) && !log.contains("余额") && !log.contains("long words"));
}

fn parts_come_together_over_two_connections_with_a_kill_between(protocol: Protocol) {
    with_wire!(protocol, parts_come_together);
}

fn parts_come_together<P: Messages>(protocol: Protocol) {
    let mut fake = Fake::<P>::start(protocol, |account| account.set("connections", 2));
    let [mut first, _second] = [fake.bringer(), fake.bringer()];
    first.bring(&part(1, b"\x05\x00\x03\x07\x02\x02lo"));
    // it is taken: the carrier may forget it, and does
    fake.gateway.kill();
    fake.gateway.start_again().unwrap();
    let [_first, mut second] = [fake.bringer(), fake.bringer()];
    assert_eq!(fake.feed.count("mo"), 0);
    second.bring(&part(2, b"\x05\x00\x03\x07\x02\x01hel"));
    let text = fake.feed.find("the whole text", SOON, |happened| match happened {
        Happened::Mo { text, .. } => Some(text.clone()),
        _ => None,
    });
    assert_eq!(text.unwrap(), MessageText("hello".to_owned()));
}

#[test]
fn a_part_that_stays_alone_comes_up_alone() {
    let fake = Fake::<wire::cmpp::Cmpp>::start(Protocol::Cmpp20, |account| account.set("mo_wait", "200ms"));
    fake.peer().bring(&part(1, b"\x05\x00\x03\x07\x03\x02lo"));
    let alone = fake.feed.find("the part", SOON, |happened| match happened {
        Happened::MoIncomplete { part, parts, text, .. } => Some((*part, *parts, text.0.clone())),
        _ => None,
    });
    assert_eq!(alone.unwrap(), (2, 3, "lo".to_owned()));
    let labels = [("account", ACCOUNT), ("kind", "incomplete")];
    fake.gateway.wait_metric("gateway_mo_total", &labels, SOON, |count| count == 1.0).unwrap();
}

#[test]
fn a_users_state_comes_up() {
    let fake = Fake::<wire::sgip::Sgip>::start(Protocol::Sgip12, |account| account);
    let user = format!("86{USER}").parse().unwrap();
    fake.bringer().bring(&Incoming::UserState { user, condition: 1 });
    let state = fake.feed.find("the user's state", SOON, |happened| match happened {
        Happened::UserState { user, condition } => Some((user.clone(), *condition)),
        _ => None,
    });
    assert_eq!(state.unwrap(), (Party(USER.to_owned()), 1));
}

fn part(id: u8, content: &[u8]) -> Incoming {
    Incoming::Mo(mo(id, true, content))
}

/// A user's message, or a part of one.
pub fn mo(id: u8, header: bool, content: &[u8]) -> Mo {
    Mo {
        id: MessageId::new([id; 8]),
        source: USER.parse().unwrap(),
        destination: ACCESS_NUMBER.parse().unwrap(),
        coding: 0,
        header,
        content: content.to_vec(),
        link_id: Text::EMPTY,
    }
}
