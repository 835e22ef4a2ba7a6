//! A carrier that does what no carrier should: a counter, a clear log line, and nothing is lost.

use domain::Happened;
use domain::event::ReportState;
use testkit::line::letters::Letters;
use testkit::line::protocol::{ACCESS_NUMBER, ACCOUNT};
use testkit::line::{Ledger, Protocol};
use wire::cmpp::deliver::{Content, Deliver, RECEIPT};
use wire::cmpp::msg_id::MsgId;
use wire::cmpp::receipt::Receipt;
use wire::cmpp::{self, Cmpp};
use wire::counted::Counted;
use wire::exchange::{Answer, Incoming, MessageId, Report};
use wire::protocol::Messages;
use wire::text::Text;

use super::fake::{Fake, STAMP};
use super::mo::mo;
use super::{SOON, over_each_protocol, with_wire};

over_each_protocol! {
    a_pdu_of_a_wrong_length_is_told_so
    a_length_that_no_pdu_has_ends_the_connection
    oddities_are_counted
    a_report_about_an_unknown_message_comes_up
}

fn a_pdu_of_a_wrong_length_is_told_so(protocol: Protocol) {
    with_wire!(protocol, wrong_lengths);
}

fn wrong_lengths<P: Messages>(protocol: Protocol) {
    let fake = Fake::<P>::start(protocol, |account| account);
    let mut peer = fake.bringer();
    let pdu = P::deliver(&Incoming::Mo(mo(1, false, b"hello")), STAMP).unwrap();
    let sequence = peer.reserve();
    let whole = peer.frame(sequence, &pdu);
    let header = usize::try_from(P::HEADER).unwrap();
    let mut sent = 0;
    for length in (header..whole.len()).chain(whole.len() + 1..whole.len() + 20) {
        let sequence = peer.reserve();
        let mut frame = peer.frame(sequence, &pdu);
        frame.resize(length, 0);
        frame[..4].copy_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
        if peer.can_be_read(&frame) {
            continue;
        }
        peer.raw(&frame);
        // told that it cannot be read; without an answer that fits there is none, and the next is none the worse
        sent += 1;
    }
    assert!(sent >= header, "{sent}");
    // the connection lives, and what is right gets through
    peer.bring(&Incoming::Mo(mo(2, false, b"hello")));
    fake.feed.wait_count("mo", 1, SOON).unwrap();
    wait_odd(&fake, "malformed", sent as f64);
    fake.gateway.wait_log("cannot be read", SOON).unwrap();
    assert!(!fake.gateway.log().contains("hello"));
}

fn a_length_that_no_pdu_has_ends_the_connection(protocol: Protocol) {
    with_wire!(protocol, impossible_lengths);
}

fn impossible_lengths<P: Messages>(protocol: Protocol) {
    let fake = Fake::<P>::start(protocol, |account| account);
    let mut ledger = Ledger::new();
    ledger.submit(&fake.gateway.uplink(), vec![Letters::new().with_text("in between")]).unwrap();
    let lengths = [0, 3, P::HEADER - 1, P::LONGEST + 1, u32::MAX];
    for length in lengths {
        let mut peer = fake.peer();
        peer.submit();
        peer.raw(&[length.to_be_bytes(), [0xFF; 4]].concat());
        peer.wait_end();
    }
    let labels = [("account", ACCOUNT), ("reason", "out_of_step")];
    let all = |count: f64| count == lengths.len() as f64;
    fake.gateway.wait_metric("gateway_connection_ends_total", &labels, SOON, all).unwrap();
    fake.gateway.wait_log("out of step", SOON).unwrap();
    let mut peer = fake.peer();
    let (sequence, submit) = peer.submit();
    assert_eq!(submit.content, b"in between");
    peer.accept(sequence);
    fake.feed.wait_count("finished", 1, SOON).unwrap();
    let uncertain = [("account", ACCOUNT), ("attempt", "uncertain")];
    let pushed = fake.gateway.metrics().unwrap().sum("gateway_parts_pushed_total", &uncertain);
    assert_eq!(pushed, lengths.len() as f64);
}

fn oddities_are_counted(protocol: Protocol) {
    with_wire!(protocol, oddities);
}

fn oddities<P: Messages>(protocol: Protocol) {
    let fake = Fake::<P>::start(protocol, |account| account);
    let mut sender = fake.peer();
    Ledger::new().submit(&fake.gateway.uplink(), vec![Letters::new().with_text("one")]).unwrap();
    let (asked, _) = sender.submit();
    // a response that nobody waits for
    let nobodys = P::sequence(0xFFFF_0000, 7, STAMP);
    sender.answer(nobodys, Answer { code: 0, id: Some(MessageId::new([9; 8])) });
    wait_odd(&fake, "stray", 1.0);
    sender.accept(asked);
    fake.feed.wait_count("finished", 1, SOON).unwrap();
    // …nor for the second one to the same submit
    sender.accept(asked);
    wait_odd(&fake, "stray", 2.0);

    let mut bringer = match protocol {
        Protocol::Sgip12 => fake.bringer(),
        Protocol::Cmpp20 | Protocol::Cmpp30 | Protocol::Smgp30 => sender,
    };
    let sequence = bringer.reserve();
    let first = P::deliver(&Incoming::Mo(mo(1, false, b"first")), STAMP).unwrap();
    bringer.send(sequence, &first);
    assert_eq!(bringer.brought(sequence), 0);
    // the same again, for the answer was lost: the same answer, and nothing else
    bringer.send(sequence, &first);
    assert_eq!(bringer.brought(sequence), 0);
    wait_odd(&fake, "request_repeated", 1.0);
    // the sequence for something else: refused, and right under another one
    let second = P::deliver(&Incoming::Mo(mo(2, false, b"second")), STAMP).unwrap();
    bringer.send(sequence, &second);
    assert_ne!(bringer.brought(sequence), 0);
    wait_odd(&fake, "sequence_reused", 1.0);
    bringer.bring(&Incoming::Mo(mo(2, false, b"second")));
    fake.feed.wait_count("mo", 2, SOON).unwrap();
    // what a customer is asked for, and does not serve
    let sequence = bringer.reserve();
    let mut strange = bringer.frame(sequence, &first);
    strange[4..8].copy_from_slice(&0x0000_7777_u32.to_be_bytes());
    bringer.raw(&strange);
    if P::UNKNOWN_ENDS {
        bringer.wait_end();
        let labels = [("account", ACCOUNT), ("reason", "unknown_command")];
        fake.gateway
            .wait_metric("gateway_connection_ends_total", &labels, SOON, |count| count == 1.0)
            .unwrap();
    } else {
        wait_odd(&fake, "unknown", 1.0);
        bringer.bring(&Incoming::Mo(mo(3, false, b"third")));
    }
    fake.gateway.wait_log("the carrier is odd", SOON).unwrap();
    assert_eq!(fake.feed.count("finished"), 1);
}

fn a_report_about_an_unknown_message_comes_up(protocol: Protocol) {
    with_wire!(protocol, unknown_report);
}

fn unknown_report<P: Messages>(protocol: Protocol) {
    let fake = Fake::<P>::start(protocol, |account| account);
    let about = P::message_id(P::sequence(77, 3_010_012_345, STAMP), 5, 6, STAMP);
    fake.bringer().bring(&Incoming::Report(report::<P>(about)));
    assert_eq!(reported(&fake), (about.to_string(), None, ReportState::Delivered));
    let labels = [("account", ACCOUNT), ("known", "no")];
    fake.gateway.wait_metric("gateway_reports_total", &labels, SOON, |count| count == 1.0).unwrap();
}

#[test]
fn a_cmpp_3_0_receipt_of_60_bytes_is_read() {
    let fake = Fake::<Cmpp>::start(Protocol::Cmpp30, |account| account);
    let mut peer = fake.peer();
    Ledger::new().submit(&fake.gateway.uplink(), vec![Letters::new().with_text("one")]).unwrap();
    let (sequence, submit) = peer.submit();
    let id = peer.accept(sequence);
    let receipt = Receipt {
        msg_id: id.into(),
        stat: "DELIVRD".parse().unwrap(),
        destination: Text::cut(submit.destinations[0].as_bytes()),
        foreign: true,
        ..Receipt::default()
    };
    let sequence = peer.request(&receipt_of(Content::Receipt(receipt)));
    assert_eq!(peer.brought(sequence), 0);
    assert_eq!(reported(&fake), (id.to_string(), Some("m-0000000".to_owned()), ReportState::Delivered));
}

#[test]
fn a_receipt_of_another_length_is_refused() {
    let fake = Fake::<Cmpp>::start(Protocol::Cmpp30, |account| account);
    let mut peer = fake.peer();
    for length in [0, 1, 59, 61, 70, 72, 255] {
        let octets = Counted::cut(std::iter::repeat_n(b'x', length));
        let sequence = peer.request(&receipt_of(Content::Octets { registered_delivery: RECEIPT, octets }));
        assert_ne!(peer.brought(sequence), 0, "{length}");
    }
    wait_odd(&fake, "unreadable_report", 7.0);
    fake.gateway.wait_log("cannot be read: ", SOON).unwrap();
    peer.bring(&Incoming::Report(report::<Cmpp>(MessageId::new([5; 8]))));
    assert_eq!(fake.feed.count("mo"), 0);
}

fn receipt_of(content: Content) -> cmpp::Pdu {
    let deliver = Deliver {
        msg_id: MsgId(77),
        dest_id: ACCESS_NUMBER.parse().unwrap(),
        service_id: Text::EMPTY,
        tp_pid: 0,
        tp_udhi: 0,
        msg_fmt: 0,
        src_terminal_id: "13712345678".parse().unwrap(),
        src_terminal_type: 0,
        content,
        link_id: Text::EMPTY,
    };
    deliver.into()
}

fn report<P: Messages>(about: MessageId) -> Report {
    let (word, error) = P::state_word(ReportState::Delivered);
    Report {
        about,
        id: Some(MessageId::new([7; 8])),
        state: ReportState::Delivered,
        word,
        error,
        destination: "13712345678".parse().unwrap(),
        source: ACCESS_NUMBER.parse().unwrap(),
        submitted: "2603010800".parse().unwrap(),
        done: "2603010800".parse().unwrap(),
    }
}

fn reported<P: Messages>(fake: &Fake<P>) -> (String, Option<String>, ReportState) {
    let report = fake.feed.find("the report", SOON, |happened| match happened {
        Happened::Reported { resp_sequence, uaop_id, state, .. } => {
            Some((resp_sequence.clone(), uaop_id.as_ref().map(ToString::to_string), *state))
        }
        _ => None,
    });
    report.unwrap()
}

fn wait_odd<P: Messages>(fake: &Fake<P>, kind: &str, wanted: f64) {
    let labels = [("account", ACCOUNT), ("kind", kind)];
    fake.gateway.wait_metric("gateway_oddities_total", &labels, SOON, |count| count == wanted).unwrap();
}
