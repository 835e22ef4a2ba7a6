//! SGIP as implementations in the field send it, and what is refused.

use wire::error::DecodeError;
use wire::protocol::Protocol;
use wire::sgip::private::{Content, UserNumber};
use wire::sgip::resp::Resp;
use wire::sgip::routing::{QueryRouteResp, Routing};
use wire::sgip::trace::TraceResp;
use wire::sgip::unbind::{Unbind, UnbindResp};
use wire::sgip::{Pdu, Sequence, Sgip, VERSION, command};

const QUERYROUTE_RESP: u32 = command::QUERYROUTE | command::RESP;

#[test]
fn the_answer_to_unbind_has_any_length() {
    for length in 0..40 {
        assert_eq!(decode(command::UNBIND_RESP, &vec![0; length]), Ok(Pdu::UnbindResp(UnbindResp)));
    }
}

#[test]
fn unbind_may_have_a_reserve() {
    assert_eq!(decode(command::UNBIND, &[]), Ok(Pdu::Unbind(Unbind)));
    assert_eq!(decode(command::UNBIND, &[0; 8]), Ok(Pdu::Unbind(Unbind)));
    assert_eq!(decode(command::UNBIND, &[0; 9]), Err(DecodeError::Trailing { extra: 9 }));
}

#[test]
fn an_answer_is_its_result_and_may_have_a_reserve_or_two() {
    for length in [1, 9, 17] {
        let mut body = vec![0; length];
        body[0] = 88;
        assert_eq!(decode(command::SUBMIT_RESP, &body), Ok(Pdu::SubmitResp(Resp::new(88))), "{length}");
    }
    for length in (0..30).filter(|length| ![1, 9, 17].contains(length)) {
        assert!(decode(command::SUBMIT_RESP, &vec![0; length]).is_err(), "{length}");
    }
}

#[test]
fn the_length_of_a_message_is_that_of_the_frame() {
    for declared in [0, 1, 2, 9, 10, 11, 17, 18, 19, u32::MAX] {
        for second_reserve in [0, 8] {
            let read = decode(command::SUBMIT, &submit(1, declared, 10, 8 + second_reserve));
            // Eight bytes of content, or of a second reserve: they look alike.
            let fits = match second_reserve {
                // with its eight bytes it may be all there is
                0 => [2, 10, 18].contains(&declared),
                _ => [10, 18].contains(&declared),
            };
            assert_eq!(read.is_ok(), fits, "{declared} of 10, second reserve {second_reserve}");
        }
    }
}

#[test]
fn a_submit_is_to_1_up_to_100_users() {
    for count in [1, 2, 99, 100] {
        let Ok(Pdu::Submit(submit)) = decode(command::SUBMIT, &submit(count, 10, 10, 8)) else {
            panic!("{count} users are refused")
        };
        assert_eq!(submit.users.len(), usize::from(count));
    }
    for count in [0, 101, 255] {
        let value = u32::from(count);
        let refused = DecodeError::Limit { field: "UserCount", value, limit: 100 };
        assert_eq!(decode(command::SUBMIT, &submit(count, 10, 10, 8)), Err(refused));
    }
}

#[test]
fn no_more_than_100_users_are_sent() {
    let Ok(Pdu::Submit(mut submit)) = decode(command::SUBMIT, &submit(1, 10, 10, 8)) else { panic!() };
    submit.users = vec![UserNumber::default(); 300];
    let mut frame = Vec::new();
    Sgip::encode(VERSION, Sequence::default(), &Pdu::Submit(submit), &mut frame);
    assert!(frame.len() < Sgip::LONGEST as usize);
    let Ok(Pdu::Submit(submit)) = Sgip::decode(VERSION, &frame) else { panic!() };
    assert_eq!(submit.users.len(), 100);
}

#[test]
fn routes_may_be_counted_in_one_byte() {
    for second_reserve in [0, 8] {
        for count in [0_u8, 1, 2, 20] {
            let routes = [0x2a; 87].repeat(usize::from(count));
            let long = [&[0, 0, 0, 0, count], routes.as_slice(), &vec![0; second_reserve]].concat();
            let short = [&[0, count], routes.as_slice(), &vec![0; second_reserve]].concat();
            let Ok(Pdu::Routing(Routing::QueryRouteResp(read))) = decode(QUERYROUTE_RESP, &long) else {
                panic!()
            };
            assert_eq!(read.routes.len(), usize::from(count));
            assert_eq!(decode(QUERYROUTE_RESP, &short), Ok(Pdu::Routing(Routing::QueryRouteResp(read))));
        }
    }
    let refused = Err(DecodeError::Limit { field: "Count", value: 21, limit: 20 });
    assert_eq!(decode(QUERYROUTE_RESP, &[&[0, 0, 0, 0, 21], [0; 87 * 21].as_slice()].concat()), refused);
}

#[test]
fn no_more_than_20_routes_are_sent() {
    let body = [&[0, 0, 0, 0, 1], [0x2a; 87].as_slice()].concat();
    let Ok(Pdu::Routing(Routing::QueryRouteResp(one))) = decode(QUERYROUTE_RESP, &body) else { panic!() };
    let many = QueryRouteResp { result: 0, routes: vec![one.routes[0].clone(); 30] };
    let mut frame = Vec::new();
    Sgip::encode(VERSION, Sequence::default(), &Pdu::Routing(Routing::QueryRouteResp(many)), &mut frame);
    let Ok(Pdu::Routing(Routing::QueryRouteResp(read))) = Sgip::decode(VERSION, &frame) else { panic!() };
    assert_eq!(read.routes.len(), 20);
}

#[test]
fn the_times_of_a_trace_may_be_short() {
    let long = [b"\x00100001".as_slice(), b"260301120000032+", b"260301120001032+", &[0; 8]].concat();
    let short = [b"\x00100001".as_slice(), b"260301120000", b"260301120001", &[0; 8]].concat();
    for (hop, time) in [(&long, "260301120001032+"), (&short, "260301120001")] {
        for count in [1_u8, 2, 5] {
            let body = [&[count], hop.repeat(usize::from(count)).as_slice()].concat();
            let Ok(Pdu::TraceResp(TraceResp { hops })) = decode(command::TRACE_RESP, &body) else { panic!() };
            assert_eq!(hops.len(), usize::from(count));
            assert!(hops.iter().all(|hop| hop.sent.to_string() == time && hop.node.to_string() == "100001"));
        }
    }
    let refused = Err(DecodeError::Short { field: "Count", need: 78, have: 47 });
    assert_eq!(decode(command::TRACE_RESP, &[&[2], long.as_slice()].concat()), refused);
}

#[test]
fn an_unknown_command_keeps_its_body() {
    for id in [0, 0x12, 0x7fff_ffff, 0x8000_0012, u32::MAX] {
        let kept = Pdu::Unknown { command: id, body: Content(vec![1, 2, 3]) };
        assert_eq!(decode(id, &[1, 2, 3]), Ok(kept));
    }
}

fn decode(command: u32, body: &[u8]) -> Result<Pdu, DecodeError> {
    let mut frame = Vec::new();
    let body = Content(body.to_vec());
    Sgip::encode(VERSION, Sequence::default(), &Pdu::Unknown { command, body }, &mut frame);
    Sgip::decode(VERSION, &frame)
}

/// The body of a submit that is empty but for its counts.
fn submit(users: u8, declared: u32, content: usize, reserve: usize) -> Vec<u8> {
    let mut body = vec![0; 42];
    body.push(users);
    body.resize(body.len() + 21 * usize::from(users) + 5 + 10 + 1 + 6 + 6 + 3 + 16 + 16 + 5, 0);
    body.extend(declared.to_be_bytes());
    body.resize(body.len() + content + reserve, b'x');
    body
}
