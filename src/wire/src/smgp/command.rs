//! `RequestID`s.

/// Set in the id of a response.
pub const RESPONSE: u32 = 0x8000_0000;

pub const LOGIN: u32 = 0x01;
pub const LOGIN_RESP: u32 = LOGIN | RESPONSE;
pub const SUBMIT: u32 = 0x02;
pub const SUBMIT_RESP: u32 = SUBMIT | RESPONSE;
pub const DELIVER: u32 = 0x03;
pub const DELIVER_RESP: u32 = DELIVER | RESPONSE;
pub const ACTIVE_TEST: u32 = 0x04;
pub const ACTIVE_TEST_RESP: u32 = ACTIVE_TEST | RESPONSE;
/// Between gateways.
pub const FORWARD: u32 = 0x05;
pub const FORWARD_RESP: u32 = FORWARD | RESPONSE;
pub const EXIT: u32 = 0x06;
pub const EXIT_RESP: u32 = EXIT | RESPONSE;
pub const QUERY: u32 = 0x07;
pub const QUERY_RESP: u32 = QUERY | RESPONSE;

/// The standard's name of a command; those of routing (GNS) and prepaid charging are kept unread
/// ([`super::pdu::Pdu::Unknown`]), but have one too. `None` if the standard has no such command.
#[must_use]
pub fn name(command: u32) -> Option<&'static str> {
    Some(match command {
        LOGIN => "LOGIN",
        LOGIN_RESP => "LOGIN_RESP",
        SUBMIT => "SUBMIT",
        SUBMIT_RESP => "SUBMIT_RESP",
        DELIVER => "DELIVER",
        DELIVER_RESP => "DELIVER_RESP",
        ACTIVE_TEST => "ACTIVE_TEST",
        ACTIVE_TEST_RESP => "ACTIVE_TEST_RESP",
        FORWARD => "FORWARD",
        FORWARD_RESP => "FORWARD_RESP",
        EXIT => "EXIT",
        EXIT_RESP => "EXIT_RESP",
        QUERY => "QUERY",
        QUERY_RESP => "QUERY_RESP",
        0x0000_0008 => "QUERY_TE_ROUTE",
        0x8000_0008 => "QUERY_TE_ROUTE_RESP",
        0x0000_0009 => "QUERY_SP_ROUTE",
        0x8000_0009 => "QUERY_SP_ROUTE_RESP",
        0x0000_000a => "PAYMENT_REQUEST",
        0x8000_000a => "PAYMENT_REQUEST_RESP",
        0x0000_000b => "PAYMENT_AFFIRM",
        0x8000_000b => "PAYMENT_AFFIRM_RESP",
        0x0000_000c => "QUERY_USERSTATE",
        0x8000_000c => "QUERY_USERSTATE_RESP",
        0x0000_000d => "GET_ALL_TE_ROUTE",
        0x8000_000d => "GET_ALL_TE_ROUTE_RESP",
        0x0000_000e => "GET_ALL_SP_ROUTE",
        0x8000_000e => "GET_ALL_SP_ROUTE_RESP",
        0x0000_000f => "UPDATE_TE_ROUTE",
        0x8000_000f => "UPDATE_TE_ROUTE_RESP",
        0x0000_0010 => "UPDATE_SP_ROUTE",
        0x8000_0010 => "UPDATE_SP_ROUTE_RESP",
        0x0000_0011 => "PUSH_UPDATE_TE_ROUTE",
        0x8000_0011 => "PUSH_UPDATE_TE_ROUTE_RESP",
        0x0000_0012 => "PUSH_UPDATE_SP_ROUTE",
        0x8000_0012 => "PUSH_UPDATE_SP_ROUTE_RESP",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_named_after_its_request() {
        for request in 1..=0x12 {
            let name_of_response = format!("{}_RESP", name(request).unwrap());
            assert_eq!(name(request | RESPONSE), Some(name_of_response.as_str()));
        }
        assert_eq!(name(0), None);
        assert_eq!(name(0x13), None);
    }
}
