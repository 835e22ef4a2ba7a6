//! Logins, as the standards and as the field have them.

use testkit::line::keys::quoted;
use testkit::line::protocol::{ACCOUNT, SECRET};
use testkit::line::{Carrier, Keys, Protocol, Scene};
use wire::cmpp::{self, Cmpp};
use wire::protocol::{Messages, Secret, Version};
use wire::smgp::auth::Authenticator;
use wire::smgp::{self, Smgp};

use super::fake::Peer;
use super::over_each_protocol;

over_each_protocol! { an_id_shorter_than_its_field_logs_in }

/// Shorter than any protocol's field.
const SHORT: &str = "9012";

fn an_id_shorter_than_its_field_logs_in(protocol: Protocol) {
    let scene = Scene::new(protocol).account("id", quoted(SHORT)).customer("id", quoted(SHORT));
    let line = scene.start().unwrap();
    assert!(!line.gateway.log().contains("proof of itself is wrong"));
}

#[test]
fn a_cmpp_customer_may_count_the_padding_of_its_id() {
    let carrier = carrier(Protocol::Cmpp20);
    for (hashed, status) in [(&b"9012"[..], 0), (b"9012\0\0", 0), (b"9013", 3)] {
        let secret = Secret(SECRET.to_owned());
        let timestamp = 301_080_000;
        let login = cmpp::connect::Connect {
            source_addr: SHORT.parse().unwrap(),
            authenticator: cmpp::auth::source(hashed, &secret, timestamp),
            version: Version(0x20),
            timestamp,
        };
        assert_eq!(log_in::<Cmpp>(&carrier, Protocol::Cmpp20, &login.into()), status, "{hashed:?}");
    }
}

#[test]
fn an_smgp_customer_may_count_the_padding_of_its_id() {
    let carrier = carrier(Protocol::Smgp30);
    let (id, secret, timestamp) = (SHORT.parse().unwrap(), Secret(SECRET.to_owned()), 301_080_000);
    let plain = Authenticator::client(&id, &secret, timestamp);
    let padded = Authenticator::client_padded(&id, &secret, timestamp);
    let wrong = Authenticator::client(&id, &Secret("wrong".to_owned()), timestamp);
    for (authenticator, welcome) in [(plain, true), (padded, true), (wrong, false)] {
        let login =
            smgp::login::Login { client_id: id, authenticator, mode: 2, timestamp, version: Version(0x30) };
        let status = log_in::<Smgp>(&carrier, Protocol::Smgp30, &smgp::pdu::Pdu::Login(login));
        assert_eq!(status == 0, welcome);
    }
}

fn carrier(protocol: Protocol) -> Carrier {
    let customer = Keys::new()
        .set("protocol", protocol.word())
        .set("id", quoted(SHORT))
        .set("secret", quoted(SECRET))
        .set("connections", 16);
    Carrier::start(&Keys::new().set("accounts", Keys::new().set(ACCOUNT, customer))).unwrap()
}

fn log_in<P: Messages>(carrier: &Carrier, protocol: Protocol, login: &P::Pdu) -> u32 {
    Peer::<P>::connect(carrier.address(protocol), protocol).log_in(login, SECRET)
}
