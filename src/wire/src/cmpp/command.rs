//! Command ids. The answer to a command has the highest bit set.

pub const CONNECT: u32 = 0x01;
pub const TERMINATE: u32 = 0x02;
pub const SUBMIT: u32 = 0x04;
pub const DELIVER: u32 = 0x05;
pub const QUERY: u32 = 0x06;
pub const CANCEL: u32 = 0x07;
pub const ACTIVE_TEST: u32 = 0x08;
/// Between gateways.
pub const FWD: u32 = 0x09;

pub const RESPONSE: u32 = 0x8000_0000;

pub const CONNECT_RESP: u32 = response(CONNECT);
pub const TERMINATE_RESP: u32 = response(TERMINATE);
pub const SUBMIT_RESP: u32 = response(SUBMIT);
pub const DELIVER_RESP: u32 = response(DELIVER);
pub const QUERY_RESP: u32 = response(QUERY);
pub const CANCEL_RESP: u32 = response(CANCEL);
pub const ACTIVE_TEST_RESP: u32 = response(ACTIVE_TEST);
pub const FWD_RESP: u32 = response(FWD);

/// The id of the answer to `command`.
#[must_use]
pub const fn response(command: u32) -> u32 {
    command | RESPONSE
}

#[must_use]
pub const fn is_response(command: u32) -> bool {
    command & RESPONSE != 0
}

/// The standard's name of a command or of the command that this answers. The routing commands between gateways and
/// their name server have names here and no layout: they never come to a customer.
#[must_use]
pub const fn name(command: u32) -> Option<&'static str> {
    Some(match command & !RESPONSE {
        CONNECT => "CONNECT",
        TERMINATE => "TERMINATE",
        SUBMIT => "SUBMIT",
        DELIVER => "DELIVER",
        QUERY => "QUERY",
        CANCEL => "CANCEL",
        ACTIVE_TEST => "ACTIVE_TEST",
        FWD => "FWD",
        0x10 => "MT_ROUTE",
        0x11 => "MO_ROUTE",
        0x12 => "GET_MT_ROUTE",
        0x13 => "MT_ROUTE_UPDATE",
        0x14 => "MO_ROUTE_UPDATE",
        0x15 => "PUSH_MT_ROUTE_UPDATE",
        0x16 => "PUSH_MO_ROUTE_UPDATE",
        0x17 => "GET_MO_ROUTE",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_the_name_of_its_command() {
        assert_eq!(name(response(SUBMIT)), Some("SUBMIT"));
        assert_eq!(name(0x10), Some("MT_ROUTE"));
        assert_eq!(name(0x03), None);
        assert!(is_response(response(FWD)) && !is_response(FWD));
    }
}
