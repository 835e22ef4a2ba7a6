//! SGIP: any value goes over the wire and comes back; any bytes are read or refused.

use std::net::Ipv4Addr;

use proptest::collection::vec;
use proptest::prelude::*;
use wire::protocol::Protocol;
use wire::sgip::bind::Bind;
use wire::sgip::deliver::Deliver;
use wire::sgip::private::{Content, Password, UserNumber};
use wire::sgip::report::Report;
use wire::sgip::resp::Resp;
use wire::sgip::routing::{
    AddSmg, AddSp, AddTeleSeg, CheckUser, CheckUserResp, DeleteSmg, DeleteSp, DeleteTeleSeg, ModifySmg,
    ModifySp, ModifyTeleSeg, QueryRoute, QueryRouteResp, Route, Routing,
};
use wire::sgip::submit::Submit;
use wire::sgip::trace::{Hop, Trace, TraceResp};
use wire::sgip::unbind::{Unbind, UnbindResp};
use wire::sgip::userrpt::UserRpt;
use wire::sgip::{Pdu, Sequence, Sgip, VERSION, command};
use wire::text::Text;

proptest! {
    #[test]
    fn any_pdu_comes_back_as_it_was(sequence in sequence(), pdu in pdu()) {
        let mut frame = vec![0xee];
        Sgip::encode(VERSION, sequence, &pdu, &mut frame);
        let frame = &frame[1..];
        prop_assert_eq!(u32::from_be_bytes(*frame.first_chunk().unwrap()) as usize, frame.len());
        prop_assert_eq!(Sgip::header(frame), (sequence, pdu.command()));
        prop_assert_eq!(Sgip::decode(VERSION, frame), Ok(pdu));
    }

    #[test]
    fn a_pdu_that_is_cut_or_longer_is_read_or_refused(pdu in pdu(), cut: prop::sample::Index, extra in 0..300_usize) {
        let mut frame = Vec::new();
        Sgip::encode(VERSION, Sequence::default(), &pdu, &mut frame);
        let _ = Sgip::decode(VERSION, &frame[..cut.index(frame.len())]);
        frame.resize(frame.len() + extra, 0xff);
        let _ = Sgip::decode(VERSION, &frame);
    }

    #[test]
    fn what_is_read_from_any_bytes_comes_back_as_it_was(command in any_command(), body in vec(any::<u8>(), 0..400)) {
        let mut frame = Vec::new();
        Sgip::encode(VERSION, Sequence::default(), &Pdu::Unknown { command, body: Content(body) }, &mut frame);
        if let Ok(pdu) = Sgip::decode(VERSION, &frame) {
            prop_assert_eq!(pdu.command(), command);
            let mut again = Vec::new();
            Sgip::encode(VERSION, Sequence::default(), &pdu, &mut again);
            prop_assert_eq!(Sgip::decode(VERSION, &again), Ok(pdu));
        }
    }

    #[test]
    fn any_bytes_at_all_have_a_header_and_a_reading(bytes in vec(any::<u8>(), 0..100)) {
        let _ = Sgip::header(&bytes);
        if bytes.len() < Sgip::HEADER as usize {
            prop_assert!(Sgip::decode(VERSION, &bytes).is_err());
        }
    }
}

fn any_command() -> impl Strategy<Value = u32> {
    prop_oneof![0_u32..0x13, (0_u32..0x13).prop_map(|id| id | command::RESP), Just(command::TRACE_RESP)]
}

fn pdu() -> BoxedStrategy<Pdu> {
    prop_oneof![
        bind().prop_map(Pdu::Bind),
        resp().prop_map(Pdu::BindResp),
        Just(Pdu::Unbind(Unbind)),
        Just(Pdu::UnbindResp(UnbindResp)),
        submit().prop_map(Pdu::Submit),
        resp().prop_map(Pdu::SubmitResp),
        deliver().prop_map(Pdu::Deliver),
        resp().prop_map(Pdu::DeliverResp),
        report().prop_map(Pdu::Report),
        report().prop_map(Pdu::ReportAsDeliver),
        resp().prop_map(Pdu::ReportResp),
        userrpt().prop_map(Pdu::UserRpt),
        resp().prop_map(Pdu::UserRptResp),
        trace().prop_map(Pdu::Trace),
        vec(hop(), 0..20).prop_map(|hops| Pdu::TraceResp(TraceResp { hops })),
        requests().prop_map(Pdu::Routing),
        answers().prop_map(Pdu::Routing),
        (0x12_u32..0x1000, content()).prop_map(|(command, body)| Pdu::Unknown { command, body }),
    ]
    .boxed()
}

fn text<const N: usize>() -> impl Strategy<Value = Text<N>> {
    vec(1_u8.., 0..=N).prop_map(|bytes| Text::new(&bytes).expect("fits the field"))
}

fn user() -> impl Strategy<Value = UserNumber> {
    text().prop_map(UserNumber)
}

fn password() -> impl Strategy<Value = Password> {
    text().prop_map(Password)
}

fn content() -> impl Strategy<Value = Content> {
    vec(any::<u8>(), 0..300).prop_map(Content)
}

fn address() -> impl Strategy<Value = Ipv4Addr> {
    any::<u32>().prop_map(Ipv4Addr::from)
}

fn sequence() -> impl Strategy<Value = Sequence> {
    any::<[u32; 3]>().prop_map(|[node, time, number]| Sequence { node, time, number })
}

fn resp() -> impl Strategy<Value = Resp> {
    (any::<u8>(), text()).prop_map(|(result, reserve)| Resp { result, reserve })
}

prop_compose! {
    fn bind()(login_type: u8, login_name in text(), login_password in password(), reserve in text()) -> Bind {
        Bind { login_type, login_name, login_password, reserve }
    }
}

prop_compose! {
    fn submit()(
        (sp_number, charge_number, users) in (text(), user(), vec(user(), 1..=100)),
        (corp_id, service_type, fee_value, given_value) in (text(), text(), text(), text()),
        [fee_type, agent_flag, more_late_to_mt, priority, report_flag]: [u8; 5],
        [tp_pid, tp_udhi, coding, message_type]: [u8; 4],
        (expire_time, schedule_time) in (text(), text()),
        content in content(),
        reserve in text(),
    ) -> Submit {
        Submit {
            sp_number, charge_number, users, corp_id, service_type, fee_type, fee_value, given_value, agent_flag,
            more_late_to_mt, priority, expire_time, schedule_time, report_flag, tp_pid, tp_udhi, coding,
            message_type, content, reserve,
        }
    }
}

prop_compose! {
    fn deliver()(
        user in user(), sp_number in text(), [tp_pid, tp_udhi, coding]: [u8; 3], content in content(),
        reserve in text(),
    ) -> Deliver {
        Deliver { user, sp_number, tp_pid, tp_udhi, coding, content, reserve }
    }
}

prop_compose! {
    fn report()(
        submit_sequence in sequence(), [report_type, state, error]: [u8; 3], user in user(), reserve in text(),
    ) -> Report {
        Report { submit_sequence, report_type, user, state, error, reserve }
    }
}

prop_compose! {
    fn userrpt()(sp_number in text(), user in user(), condition: u8, reserve in text()) -> UserRpt {
        UserRpt { sp_number, user, condition, reserve }
    }
}

prop_compose! {
    fn trace()(submit_sequence in sequence(), user in user(), reserve in text()) -> Trace {
        Trace { submit_sequence, user, reserve }
    }
}

prop_compose! {
    fn hop()(result: u8, node in text(), received in text(), sent in text(), reserve in text()) -> Hop {
        Hop { result, node, received, sent, reserve }
    }
}

prop_compose! {
    fn route()(
        kind: u8, number in user(), (mark, code, smg_id) in (text(), text(), text()), address in address(),
        login_user in text(), password in password(), reserve in text(),
    ) -> Route {
        Route { kind, number, mark, code, smg_id, address, login_user, password, reserve }
    }
}

prop_compose! {
    fn modify_sp()(
        smg_id in text(), (old_sp_number, old_service_tag) in (text(), text()),
        (new_sp_number, new_service_tag) in (text(), text()), corp_id in text(), reserve in text(),
    ) -> ModifySp {
        ModifySp { smg_id, old_sp_number, old_service_tag, new_sp_number, new_service_tag, corp_id, reserve }
    }
}

prop_compose! {
    fn modify_smg()(
        old_smg_id in text(), new_smg_id in text(), address in address(), login_name in text(),
        password in password(), reserve in text(),
    ) -> ModifySmg {
        ModifySmg { old_smg_id, new_smg_id, address, login_name, password, reserve }
    }
}

fn requests() -> impl Strategy<Value = Routing> {
    prop_oneof![
        (text(), text(), text(), text(), text()).prop_map(
            |(smg_id, sp_number, service_tag, corp_id, reserve)| {
                Routing::AddSp(AddSp { smg_id, sp_number, service_tag, corp_id, reserve })
            }
        ),
        modify_sp().prop_map(Routing::ModifySp),
        (text(), text(), text(), text()).prop_map(|(smg_id, sp_number, service_tag, reserve)| {
            Routing::DeleteSp(DeleteSp { smg_id, sp_number, service_tag, reserve })
        }),
        (any::<u8>(), user(), text(), text()).prop_map(|(query_type, number, service_tag, reserve)| {
            Routing::QueryRoute(QueryRoute { query_type, number, service_tag, reserve })
        }),
        (text(), text(), any::<u8>(), text(), text()).prop_map(
            |(smg_id, segment, kind, area_code, reserve)| {
                Routing::AddTeleSeg(AddTeleSeg { smg_id, segment, kind, area_code, reserve })
            }
        ),
        (text(), text(), text(), any::<u8>(), text(), text()).prop_map(
            |(smg_id, old_segment, new_segment, new_kind, new_area_code, reserve)| {
                Routing::ModifyTeleSeg(ModifyTeleSeg {
                    smg_id,
                    old_segment,
                    new_segment,
                    new_kind,
                    new_area_code,
                    reserve,
                })
            }
        ),
        (text(), text(), text()).prop_map(|(smg_id, segment, reserve)| {
            Routing::DeleteTeleSeg(DeleteTeleSeg { smg_id, segment, reserve })
        }),
        (text(), address(), text(), password(), text()).prop_map(
            |(smg_id, address, login_name, password, reserve)| {
                Routing::AddSmg(AddSmg { smg_id, address, login_name, password, reserve })
            }
        ),
        modify_smg().prop_map(Routing::ModifySmg),
        (text(), text()).prop_map(|(smg_id, reserve)| Routing::DeleteSmg(DeleteSmg { smg_id, reserve })),
        (text(), password(), user(), text()).prop_map(|(user_name, password, user, reserve)| {
            Routing::CheckUser(CheckUser { user_name, password, user, reserve })
        }),
    ]
}

fn answers() -> impl Strategy<Value = Routing> {
    prop_oneof![
        resp().prop_map(Routing::AddSpResp),
        resp().prop_map(Routing::ModifySpResp),
        resp().prop_map(Routing::DeleteSpResp),
        resp().prop_map(Routing::AddTeleSegResp),
        resp().prop_map(Routing::ModifyTeleSegResp),
        resp().prop_map(Routing::DeleteTeleSegResp),
        resp().prop_map(Routing::AddSmgResp),
        resp().prop_map(Routing::ModifySmgResp),
        resp().prop_map(Routing::DeleteSmgResp),
        (any::<u8>(), vec(route(), 0..=20))
            .prop_map(|(result, routes)| Routing::QueryRouteResp(QueryRouteResp { result, routes })),
        (any::<[u8; 2]>(), text()).prop_map(|([result, status], reserve)| {
            Routing::CheckUserResp(CheckUserResp { result, status, reserve })
        }),
    ]
}
