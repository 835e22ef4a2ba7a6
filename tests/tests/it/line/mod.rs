//! The real `smsline`: a gateway with its carrier, and with carriers that no carrier should be.

mod fake;

mod bad_input;
mod consumers;
mod disk;
mod dissector;
mod flow;
mod links;
mod login;
mod mo;
mod odd;
mod outcomes;
mod silence;
mod storm;
mod watch;

use std::time::Duration;

use testkit::line::{Line, Protocol, Scene};

/// For what happens at once on a machine that is not busy.
const SOON: Duration = Duration::from_secs(20);

/// Makes of a function of a [`Protocol`] a test for each.
macro_rules! over_each_protocol {
    ($($(#[$doc:meta])* $test:ident)*) => {$(
        $(#[$doc])*
        mod $test {
            use testkit::line::Protocol;

            #[test]
            fn over_cmpp_2_0() {
                super::$test(Protocol::Cmpp20);
            }

            #[test]
            fn over_cmpp_3_0() {
                super::$test(Protocol::Cmpp30);
            }

            #[test]
            fn over_sgip_1_2() {
                super::$test(Protocol::Sgip12);
            }

            #[test]
            fn over_smgp_3_0() {
                super::$test(Protocol::Smgp30);
            }
        }
    )*};
}
use over_each_protocol;

/// Calls a function that is generic over the wire's protocol.
macro_rules! with_wire {
    ($protocol:expr, $function:ident) => {
        match $protocol {
            Protocol::Cmpp20 | Protocol::Cmpp30 => $function::<wire::cmpp::Cmpp>($protocol),
            Protocol::Sgip12 => $function::<wire::sgip::Sgip>($protocol),
            Protocol::Smgp30 => $function::<wire::smgp::Smgp>($protocol),
        }
    };
}
use with_wire;

/// A gateway and a carrier without faults.
fn line(protocol: Protocol) -> Line {
    Scene::new(protocol).start().unwrap()
}
