//! SMGP: any value goes over the wire and comes back; any bytes are read or refused.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use wire::counted::Counted;
use wire::protocol::{Messages, Protocol, Secret, Version};
use wire::smgp::active_test::{ActiveTest, ActiveTestResp};
use wire::smgp::auth::Authenticator;
use wire::smgp::deliver::{Deliver, DeliverResp};
use wire::smgp::exit::{Exit, ExitResp};
use wire::smgp::forward::{Forward, ForwardResp};
use wire::smgp::login::{Login, LoginResp};
use wire::smgp::msg_id::MsgId;
use wire::smgp::pdu::Pdu;
use wire::smgp::query::{Query, QueryResp};
use wire::smgp::receipt::{LENGTH, Receipt};
use wire::smgp::submit::{MOST_DESTINATIONS, Submit, SubmitResp};
use wire::smgp::tlv::Tlvs;
use wire::smgp::{Smgp, V1_3, V2_0, V3_0, command};
use wire::text::Text;

proptest! {
    #[test]
    fn any_pdu_comes_back_as_it_was(version in version(), sequence: u32, pdu in pdu()) {
        let pdu = without_fixed_fee(version, pdu);
        let mut frame = vec![0xee];
        Smgp::encode(version, sequence, &pdu, &mut frame);
        let frame = &frame[1..];
        prop_assert_eq!(u32::from_be_bytes(*frame.first_chunk().unwrap()) as usize, frame.len());
        prop_assert_eq!(Smgp::header(frame), (sequence, pdu.command()));
        prop_assert_eq!(Smgp::decode(version, frame), Ok(pdu));
    }

    #[test]
    fn a_pdu_that_is_cut_or_longer_is_read_or_refused(
        pdu in pdu(), cut: prop::sample::Index, extra in 0..300_usize,
    ) {
        let mut frame = Vec::new();
        Smgp::encode(V3_0, 1, &pdu, &mut frame);
        let _ = Smgp::decode(V3_0, &frame[..cut.index(frame.len())]);
        frame.resize(frame.len() + extra, 0xff);
        let _ = Smgp::decode(V3_0, &frame);
    }

    #[test]
    fn what_is_read_from_any_bytes_comes_back_as_it_was(
        version in version(), command in any_command(), body in vec(any::<u8>(), 0..400),
    ) {
        let mut frame = Vec::new();
        Smgp::encode(version, 1, &Pdu::Unknown { command, body }, &mut frame);
        if let Ok(pdu) = Smgp::decode(version, &frame) {
            prop_assert_eq!(pdu.command(), command);
            let mut again = Vec::new();
            Smgp::encode(version, 1, &pdu, &mut again);
            prop_assert_eq!(Smgp::decode(version, &again), Ok(pdu));
        }
    }

    #[test]
    fn any_bytes_at_all_have_a_header_and_a_reading(version: u8, bytes in vec(any::<u8>(), 0..100)) {
        let _ = Smgp::header(&bytes);
        if bytes.len() < Smgp::HEADER as usize {
            prop_assert!(Smgp::decode(Version(version), &bytes).is_err());
        } else {
            let _ = Smgp::decode(Version(version), &bytes);
        }
    }

    /// Whatever two PDUs meet: a stranger may answer with anything.
    #[test]
    fn no_pdu_is_too_strange_for_any_question(first in pdu(), second in pdu()) {
        let secret = Secret("1234".to_owned());
        let _ = Smgp::role(&first);
        let _ = (Smgp::read_login(&first), Smgp::proves(&first, &secret));
        let _ = Smgp::read_welcome(&first, &second, &secret);
        let _ = Smgp::welcome(&first, 0, V3_0, &secret);
        let _ = (Smgp::read_submit(&first), Smgp::read_answer(1, &first), Smgp::read_deliver(1, &first));
        let _ = Smgp::deliver_answer(&first, 0);
        let _ = Smgp::read_deliver_answer(&first);
    }

    #[test]
    fn any_receipt_comes_back_as_it_was(receipt in receipt()) {
        let content = receipt.write();
        prop_assert_eq!(content.len(), LENGTH);
        prop_assert_eq!(Receipt::read(&content), Ok(receipt));
    }

    /// Out of their places, so that the keys must be looked for, in the case and spelling of whoever sends.
    #[test]
    fn any_receipt_is_read_by_its_keys(
        receipt in words(), gap in "[ ]{1,3}",
        (submit_date, done_date) in prop::sample::select(SPELLINGS.as_slice()),
    ) {
        let Receipt { sub, dlvrd, stat, err, .. } = &receipt;
        let words = format!(
            "{gap} sub:{sub} dlvrd:{dlvrd}{gap}{submit_date}:{gap}{} {done_date}:{}{gap}stat:{stat} err:{err} text:",
            receipt.submit_date, receipt.done_date,
        );
        let content = [b"id:", &receipt.msg_id.0[..], words.as_bytes(), receipt.text.as_bytes()].concat();
        prop_assert_eq!(Receipt::read(&content), Ok(receipt));
    }

    #[test]
    fn any_content_is_a_receipt_or_none(content in prop_oneof![
        vec(any::<u8>(), 0..255),
        vec(any::<u8>(), 0..255).prop_map(|content| [&b"id:0123456789 stat:"[..], &content].concat()),
    ]) {
        if let Ok(receipt) = Receipt::read(&content) {
            prop_assert_eq!(Receipt::read(&receipt.write()).map(|again| again.msg_id), Ok(receipt.msg_id));
        }
    }
}

const SPELLINGS: [(&str, &str); 3] =
    [("Submit date", "done date"), ("submit_date", "done_date"), ("SUBMIT DATE", "DONE DATE")];

/// Version 1 has nowhere to put it.
fn without_fixed_fee(version: Version, mut pdu: Pdu) -> Pdu {
    if let (V1_3, Pdu::Submit(submit)) = (version, &mut pdu) {
        submit.fixed_fee = Text::EMPTY;
    }
    pdu
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(V1_3), Just(V2_0), Just(V3_0)]
}

fn text<const N: usize>() -> impl Strategy<Value = Text<N>> {
    vec(1..=u8::MAX, 0..=N).prop_map(|bytes| Text::new(&bytes).expect("fits the field"))
}

fn msg_id() -> impl Strategy<Value = MsgId> {
    const KEYS: [&[u8; 10]; 6] =
        [b" sub:001 d", b" stat:DELI", b" err:000 T", b" Text:  \0:", b"id:id:id::", b"\0\0\0\0\0\0\0\0\0 "];
    prop_oneof![
        any::<[u8; 10]>().prop_map(MsgId),
        prop::sample::select(KEYS.as_slice()).prop_map(|id| MsgId(*id))
    ]
}

fn tlvs() -> impl Strategy<Value = Tlvs> {
    vec((0..0x20_u16, vec(any::<u8>(), 0..25)), 0..6).prop_map(|pairs| {
        let mut tlvs = Tlvs::default();
        pairs.iter().for_each(|(tag, value)| tlvs.push(*tag, value));
        tlvs
    })
}

fn content() -> impl Strategy<Value = Counted<u8>> {
    vec(any::<u8>(), 0..=255).prop_map(Counted::cut)
}

/// Any values without spaces around them.
fn receipt() -> impl Strategy<Value = Receipt> {
    (msg_id(), "[!-~]{0,3}", "[!-~]{0,3}", "[!-~]{0,10}", "[!-~]{0,10}", "[!-~]{1,7}", "[!-~]{0,3}", text())
        .prop_map(|(msg_id, sub, dlvrd, submit_date, done_date, stat, err, text)| Receipt {
            msg_id,
            sub: sub.parse().expect("fits the field"),
            dlvrd: dlvrd.parse().expect("fits the field"),
            submit_date: submit_date.parse().expect("fits the field"),
            done_date: done_date.parse().expect("fits the field"),
            stat: stat.parse().expect("fits the field"),
            err: err.parse().expect("fits the field"),
            text,
        })
}

/// The same of letters and digits, any of which may be missing but the state.
fn words() -> impl Strategy<Value = Receipt> {
    (msg_id(), "[0-9]{0,3}", "[0-9]{0,10}", "[A-Z0-9]{1,7}", text()).prop_map(
        |(msg_id, number, date, stat, text)| Receipt {
            msg_id,
            sub: number.parse().expect("fits the field"),
            dlvrd: number.parse().expect("fits the field"),
            submit_date: date.parse().expect("fits the field"),
            done_date: date.parse().expect("fits the field"),
            stat: stat.parse().expect("fits the field"),
            err: number.parse().expect("fits the field"),
            text,
        },
    )
}

fn any_command() -> impl Strategy<Value = u32> {
    (0..0x14_u32, any::<bool>())
        .prop_map(|(command, response)| if response { command | command::RESPONSE } else { command })
}

fn pdu() -> impl Strategy<Value = Pdu> {
    prop_oneof![
        login().prop_map(Pdu::Login),
        login_resp().prop_map(Pdu::LoginResp),
        submit().prop_map(Pdu::Submit),
        (msg_id(), any::<u32>()).prop_map(|(msg_id, status)| Pdu::SubmitResp(SubmitResp { msg_id, status })),
        deliver().prop_map(Pdu::Deliver),
        (msg_id(), any::<u32>())
            .prop_map(|(msg_id, status)| Pdu::DeliverResp(DeliverResp { msg_id, status })),
        Just(Pdu::ActiveTest(ActiveTest)),
        Just(Pdu::ActiveTestResp(ActiveTestResp)),
        forward().prop_map(Pdu::Forward),
        (msg_id(), any::<u32>(), tlvs()).prop_map(|(msg_id, status, tlvs)| Pdu::ForwardResp(ForwardResp {
            msg_id,
            status,
            tlvs
        })),
        Just(Pdu::Exit(Exit)),
        Just(Pdu::ExitResp(ExitResp)),
        query().prop_map(Pdu::Query),
        query_resp().prop_map(Pdu::QueryResp),
        (8..u32::MAX / 2, any::<bool>(), vec(any::<u8>(), 0..300)).prop_map(|(command, response, body)| {
            Pdu::Unknown { command: if response { command | command::RESPONSE } else { command }, body }
        }),
    ]
}

fn login() -> impl Strategy<Value = Login> {
    (text(), any::<[u8; 16]>(), any::<u8>(), any::<u32>(), any::<u8>()).prop_map(
        |(client_id, digest, mode, timestamp, version)| Login {
            client_id,
            authenticator: Authenticator(digest),
            mode,
            timestamp,
            version: Version(version),
        },
    )
}

fn login_resp() -> impl Strategy<Value = LoginResp> {
    (any::<u32>(), any::<[u8; 16]>(), any::<u8>()).prop_map(|(status, digest, version)| LoginResp {
        status,
        authenticator: Authenticator(digest),
        version: Version(version),
    })
}

fn submit() -> impl Strategy<Value = Submit> {
    (
        any::<[u8; 4]>(),
        (text(), text(), text(), text()),
        (text(), text(), text(), text()),
        vec(text(), 0..=MOST_DESTINATIONS),
        content(),
        any::<[u8; 8]>(),
        tlvs(),
    )
        .prop_map(|(numbers, service, terms, dest_term_ids, msg_content, reserve, tlvs)| {
            let [msg_type, need_report, priority, msg_format] = numbers;
            let (service_id, fee_type, fee_code, fixed_fee) = service;
            let (valid_time, at_time, src_term_id, charge_term_id) = terms;
            Submit {
                msg_type,
                need_report,
                priority,
                service_id,
                fee_type,
                fee_code,
                fixed_fee,
                msg_format,
                valid_time,
                at_time,
                src_term_id,
                charge_term_id,
                dest_term_ids,
                msg_content,
                reserve,
                tlvs,
            }
        })
}

fn deliver() -> impl Strategy<Value = Deliver> {
    let content = prop_oneof![content(), receipt().prop_map(|receipt| Counted::cut(receipt.write()))];
    (msg_id(), 0..3_u8, any::<u8>(), text(), text(), text(), content, any::<[u8; 8]>(), tlvs()).prop_map(
        |(
            msg_id,
            is_report,
            msg_format,
            recv_time,
            src_term_id,
            dest_term_id,
            msg_content,
            reserve,
            tlvs,
        )| {
            Deliver {
                msg_id,
                is_report,
                msg_format,
                recv_time,
                src_term_id,
                dest_term_id,
                msg_content,
                reserve,
                tlvs,
            }
        },
    )
}

fn forward() -> impl Strategy<Value = Forward> {
    (submit(), msg_id(), text(), text(), text(), any::<u8>(), option::of(text())).prop_map(
        |(submit, msg_id, dest_smgw_no, src_smgw_no, smc_no, report_flag, dest_term_id)| Forward {
            msg_id,
            dest_smgw_no,
            src_smgw_no,
            smc_no,
            msg_type: submit.msg_type,
            report_flag,
            priority: submit.priority,
            service_id: submit.service_id,
            fee_type: submit.fee_type,
            fee_code: submit.fee_code,
            fixed_fee: submit.fixed_fee,
            msg_format: submit.msg_format,
            valid_time: submit.valid_time,
            at_time: submit.at_time,
            src_term_id: submit.src_term_id,
            dest_term_id: dest_term_id.unwrap_or_default(),
            charge_term_id: submit.charge_term_id,
            msg_content: submit.msg_content,
            reserve: submit.reserve,
            tlvs: submit.tlvs,
        },
    )
}

fn query() -> impl Strategy<Value = Query> {
    (text(), any::<u8>(), text()).prop_map(|(time, kind, code)| Query { time, kind, code })
}

fn query_resp() -> impl Strategy<Value = QueryResp> {
    (query(), any::<[u32; 8]>(), any::<[u8; 8]>()).prop_map(|(query, counts, reserve)| QueryResp {
        query,
        mt_messages: counts[0],
        mt_users: counts[1],
        mt_succeeded: counts[2],
        mt_waiting: counts[3],
        mt_failed: counts[4],
        mo_succeeded: counts[5],
        mo_waiting: counts[6],
        mo_failed: counts[7],
        reserve,
    })
}
