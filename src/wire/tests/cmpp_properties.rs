//! CMPP: any value goes over the wire and comes back, in both versions; any bytes are read or refused.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use wire::cmpp::active_test::{ActiveTest, ActiveTestResp};
use wire::cmpp::auth::Authenticator;
use wire::cmpp::cancel::{Cancel, CancelResp};
use wire::cmpp::connect::{Connect, ConnectResp};
use wire::cmpp::deliver::{Content, Deliver, DeliverResp, RECEIPT};
use wire::cmpp::fwd::{Fwd, FwdResp};
use wire::cmpp::layout::Layout;
use wire::cmpp::msg_id::MsgId;
use wire::cmpp::query::{Query, QueryResp};
use wire::cmpp::receipt::Receipt;
use wire::cmpp::submit::{Submit, SubmitResp};
use wire::cmpp::terminate::{Terminate, TerminateResp};
use wire::cmpp::{Cmpp, Pdu, command};
use wire::counted::Counted;
use wire::error::DecodeError;
use wire::protocol::{Protocol, Version};
use wire::text::Text;

proptest! {
    #[test]
    fn any_pdu_comes_back_as_it_was((version, pdu) in pdu(), sequence: u32) {
        let mut out = vec![0xee];
        Cmpp::encode(version, sequence, &pdu, &mut out);
        let frame = &out[1..];
        prop_assert_eq!(u32::from_be_bytes(*frame.first_chunk().unwrap()) as usize, frame.len());
        prop_assert!(frame.len() <= Cmpp::LONGEST as usize);
        prop_assert_eq!(Cmpp::header(frame), (sequence, pdu.command()));
        // Not prop_assert_eq: PDUs show nothing of themselves.
        prop_assert!(Cmpp::decode(version, frame) == Ok(pdu));
    }

    #[test]
    fn a_pdu_with_another_byte_is_read_or_refused((version, pdu) in pdu(), at: prop::sample::Index, byte: u8) {
        let mut frame = encoded(version, &pdu);
        let at = at.index(frame.len());
        frame[at] = byte;
        if let Ok(read) = Cmpp::decode(version, &frame) {
            let again = encoded(version, &read);
            prop_assert!(Cmpp::decode(version, &again) == Ok(read));
        }
    }

    #[test]
    fn a_pdu_that_is_cut_or_longer_is_read_or_refused((version, pdu) in pdu(), cut: prop::sample::Index, extra in 0..300_usize) {
        let mut frame = encoded(version, &pdu);
        let _ = Cmpp::decode(version, &frame[..cut.index(frame.len())]);
        frame.resize(frame.len() + extra, 0xff);
        let _ = Cmpp::decode(version, &frame);
    }

    #[test]
    fn what_is_read_from_any_body_comes_back_as_it_was(version in version(), command in any_command(), body in vec(any::<u8>(), 0..500)) {
        let frame = encoded(version, &Pdu::Unknown { command, body });
        if let Ok(pdu) = Cmpp::decode(version, &frame) {
            prop_assert_eq!(pdu.command(), command);
            prop_assert!(Cmpp::decode(version, &encoded(version, &pdu)) == Ok(pdu));
        }
    }

    #[test]
    fn any_bytes_have_a_header_and_a_reading(version in version(), bytes in vec(any::<u8>(), 0..100)) {
        let _ = Cmpp::header(&bytes);
        let read = Cmpp::decode(version, &bytes);
        prop_assert!(bytes.len() >= Cmpp::HEADER as usize || read.is_err());
    }
}

#[test]
fn a_count_of_more_than_there_is_allocates_nothing_and_says_which() {
    for (version, at, width) in [(Version(0x20), 128, 21), (Version(0x30), 140, 32)] {
        let mut frame = encoded(version, &Submit::default().into());
        frame[at] = 255;
        let Err(DecodeError::Short { field, need, have }) = Cmpp::decode(version, &frame) else {
            panic!("255 destinations in {} bytes", frame.len());
        };
        assert_eq!((field, need, have), ("Dest_terminal_Id", 255 * width, frame.len() - at - 1));
    }
}

#[test]
fn the_longest_pdu_has_the_longest_length() {
    let text = Counted::cut((0..255).map(|_| Text::EMPTY));
    let submit = Submit { destinations: text, content: Counted::cut(vec![0; 255]), ..Submit::default() };
    assert_eq!(encoded(Version(0x30), &submit.into()).len(), Cmpp::LONGEST as usize);
}

fn encoded(version: Version, pdu: &Pdu) -> Vec<u8> {
    let mut out = Vec::new();
    Cmpp::encode(version, 7, pdu, &mut out);
    out
}

fn version() -> impl Strategy<Value = Version> {
    prop::sample::select(vec![Version(0x20), Version(0x21), Version(0x30)])
}

fn any_command() -> impl Strategy<Value = u32> {
    prop_oneof![
        (0..0x18_u32, any::<bool>()).prop_map(|(id, answer)| id | u32::from(answer) << 31),
        any::<u32>()
    ]
}

fn pdu() -> impl Strategy<Value = (Version, Pdu)> {
    version().prop_flat_map(|version| (Just(version), pdu_of(Layout::of(version))))
}

fn pdu_of(layout: Layout) -> impl Strategy<Value = Pdu> {
    prop_oneof![
        sign_in().boxed(),
        submit(layout).prop_map(Pdu::from).boxed(),
        deliver(layout).prop_map(Pdu::from).boxed(),
        fwd(layout).prop_map(Pdu::from).boxed(),
        query().boxed(),
        answers(layout).boxed(),
        Just(Terminate.into()).boxed(),
        Just(TerminateResp.into()).boxed(),
        Just(ActiveTest.into()).boxed(),
        option::of(any::<u8>()).prop_map(|reserved| ActiveTestResp { reserved }.into()).boxed(),
        unknown().boxed(),
    ]
}

fn sign_in() -> impl Strategy<Value = Pdu> {
    let version = || any::<u8>().prop_map(Version);
    let authenticator = || any::<[u8; 16]>().prop_map(Authenticator);
    prop_oneof![
        (text(6), authenticator(), version(), any::<u32>()).prop_map(
            |(source_addr, authenticator, version, timestamp)| {
                Connect { source_addr, authenticator, version, timestamp }.into()
            }
        ),
        (0..256_u32, authenticator(), version(), any::<bool>()).prop_map(
            |(status, authenticator, version, foreign)| {
                ConnectResp { status, authenticator, version, foreign }.into()
            }
        ),
    ]
}

fn answers(layout: Layout) -> impl Strategy<Value = Pdu> {
    let id = || any::<u64>().prop_map(MsgId);
    prop_oneof![
        (id(), code(layout)).prop_map(|(msg_id, result)| SubmitResp { msg_id, result }.into()),
        (id(), code(layout)).prop_map(|(msg_id, result)| DeliverResp { msg_id, result }.into()),
        (id(), any::<u8>(), any::<u8>(), code(layout)).prop_map(|(msg_id, pk_total, pk_number, result)| {
            FwdResp { msg_id, pk_total, pk_number, result }.into()
        }),
        id().prop_map(|msg_id| Cancel { msg_id }.into()),
        (0..256_u32, any::<bool>()).prop_map(|(success, foreign)| CancelResp { success, foreign }.into()),
    ]
}

/// What the layout can say.
fn code(layout: Layout) -> impl Strategy<Value = u32> {
    match layout {
        Layout::Two => (0..256_u32).boxed(),
        Layout::Three => any::<u32>().boxed(),
    }
}

fn query() -> impl Strategy<Value = Pdu> {
    let asked = || (text(8), any::<u8>(), text(10));
    prop_oneof![
        (asked(), text(8)).prop_map(|((time, query_type, query_code), reserve)| {
            Query { time, query_type, query_code, reserve }.into()
        }),
        (asked(), any::<[u32; 8]>()).prop_map(|((time, query_type, query_code), counts)| {
            let [mt_tl_msg, mt_tl_usr, mt_scs, mt_wt, mt_fl, mo_scs, mo_wt, mo_fl] = counts;
            QueryResp {
                time,
                query_type,
                query_code,
                mt_tl_msg,
                mt_tl_usr,
                mt_scs,
                mt_wt,
                mt_fl,
                mo_scs,
                mo_wt,
                mo_fl,
            }
            .into()
        }),
    ]
}

fn submit(layout: Layout) -> impl Strategy<Value = Submit> {
    let number = move || text::<32>(layout.number_width());
    let texts = (text(10), text(6), text(2), text(6), text(17), text(17), text(21));
    let lists = (vec(number(), 0..=255), vec(any::<u8>(), 0..=255));
    let of_version = (number(), types(layout), text(layout.link_width()));
    (any::<u64>(), any::<[u8; 8]>(), texts, lists, of_version).prop_map(
        |(msg_id, bytes, texts, (destinations, content), of_version)| {
            let [
                pk_total,
                pk_number,
                registered_delivery,
                msg_level,
                fee_user_type,
                tp_pid,
                tp_udhi,
                msg_fmt,
            ] = bytes;
            let (service_id, msg_src, fee_type, fee_code, valid_time, at_time, src_id) = texts;
            let (fee_terminal_id, [fee_terminal_type, dest_terminal_type, ..], link_id) = of_version;
            Submit {
                msg_id: MsgId(msg_id),
                pk_total,
                pk_number,
                registered_delivery,
                msg_level,
                service_id,
                fee_user_type,
                fee_terminal_id,
                fee_terminal_type,
                tp_pid,
                tp_udhi,
                msg_fmt,
                msg_src,
                fee_type,
                fee_code,
                valid_time,
                at_time,
                src_id,
                destinations: Counted::new(destinations).unwrap(),
                dest_terminal_type,
                content: Counted::new(content).unwrap(),
                link_id,
            }
        },
    )
}

fn deliver(layout: Layout) -> impl Strategy<Value = Deliver> {
    let of_version = (text(layout.number_width()), types(layout), text(layout.link_width()));
    (any::<u64>(), any::<[u8; 3]>(), text(21), text(10), content(layout), of_version).prop_map(
        |(msg_id, [tp_pid, tp_udhi, msg_fmt], dest_id, service_id, content, of_version)| {
            let (src_terminal_id, [src_terminal_type, ..], link_id) = of_version;
            Deliver {
                msg_id: MsgId(msg_id),
                dest_id,
                service_id,
                tp_pid,
                tp_udhi,
                msg_fmt,
                src_terminal_id,
                src_terminal_type,
                content,
                link_id,
            }
        },
    )
}

fn content(layout: Layout) -> impl Strategy<Value = Content> {
    let octets = (any::<u8>(), vec(any::<u8>(), 0..=255))
        .prop_filter("a receipt", |(registered, octets)| {
            *registered != RECEIPT || !matches!(octets.len(), 60 | 71)
        })
        .prop_map(|(registered_delivery, octets)| Content::Octets {
            registered_delivery,
            octets: Counted::new(octets).unwrap(),
        });
    prop_oneof![octets, receipt(layout).prop_map(Content::Receipt)]
}

fn receipt(layout: Layout) -> impl Strategy<Value = Receipt> {
    any::<bool>().prop_flat_map(move |foreign| {
        let destination = text(layout.or_other(foreign).number_width());
        (any::<u64>(), text(7), text(10), text(10), destination, any::<u32>()).prop_map(
            move |(msg_id, stat, submit_time, done_time, destination, smsc_sequence)| Receipt {
                msg_id: MsgId(msg_id),
                stat,
                submit_time,
                done_time,
                destination,
                smsc_sequence,
                foreign,
            },
        )
    })
}

fn fwd(layout: Layout) -> impl Strategy<Value = Fwd> {
    let ends = (text(6), text(6), text(10), text(21));
    let texts = (text(6), text(2), text(6), text(17), text(17), text(21));
    let lists = (vec(text(21), 0..=255), vec(any::<u8>(), 0..=255));
    let pseudo = move || text(if layout == Layout::Three { 32 } else { 0 });
    let of_version = (pseudo(), pseudo(), pseudo(), types(layout), text(layout.link_width()));
    (any::<u64>(), any::<[u8; 10]>(), ends, texts, lists, of_version).prop_map(
        |(msg_id, bytes, ends, texts, (destinations, content), of_version)| {
            let [nodes_count, msg_fwd_type, pk_total, pk_number, registered_delivery, ..] = bytes;
            let [.., msg_level, fee_user_type, tp_pid, tp_udhi, msg_fmt] = bytes;
            let (source_id, destination_id, service_id, fee_terminal_id) = ends;
            let (msg_src, fee_type, fee_code, valid_time, at_time, src_id) = texts;
            let (fee_terminal_pseudo, src_pseudo, dest_pseudo, types, link_id) = of_version;
            let [fee_terminal_user_type, src_user_type, src_type, dest_user_type] = types;
            Fwd {
                source_id,
                destination_id,
                nodes_count,
                msg_fwd_type,
                msg_id: MsgId(msg_id),
                pk_total,
                pk_number,
                registered_delivery,
                msg_level,
                service_id,
                fee_user_type,
                fee_terminal_id,
                fee_terminal_pseudo,
                fee_terminal_user_type,
                tp_pid,
                tp_udhi,
                msg_fmt,
                msg_src,
                fee_type,
                fee_code,
                valid_time,
                at_time,
                src_id,
                src_pseudo,
                src_user_type,
                src_type,
                destinations: Counted::new(destinations).unwrap(),
                dest_pseudo,
                dest_user_type,
                content: Counted::new(content).unwrap(),
                link_id,
            }
        },
    )
}

/// Bytes that only 3.0 has.
fn types(layout: Layout) -> impl Strategy<Value = [u8; 4]> {
    match layout {
        Layout::Two => Just([0; 4]).boxed(),
        Layout::Three => any::<[u8; 4]>().boxed(),
    }
}

fn unknown() -> impl Strategy<Value = Pdu> {
    let command = any_command()
        .prop_filter("a known one", |command| !matches!(command & !command::RESPONSE, 1 | 2 | 4..=9));
    (command, vec(any::<u8>(), 0..300)).prop_map(|(command, body)| Pdu::Unknown { command, body })
}

fn text<const N: usize>(longest: usize) -> impl Strategy<Value = Text<N>> {
    vec(1..=255_u8, 0..=longest).prop_map(|bytes| Text::new(&bytes).unwrap())
}
