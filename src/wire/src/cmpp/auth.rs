//! The authenticators of CONNECT and its answer.

use std::fmt;

use md5::{Digest, Md5};

use super::connect::{Connect, ConnectResp};
use super::layout::{Layout, digits};
use crate::protocol::Secret;

/// An MD5 that only who knows the secret can make. It does not show itself: a secret can be guessed from it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Authenticator(pub [u8; 16]);

impl Authenticator {
    pub const ZERO: Self = Self([0; 16]);
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// `AuthenticatorSource`: the MD5 of the id without padding, nine zeros, the secret, and the timestamp in ten digits.
#[must_use]
pub fn source(id: &[u8], secret: &Secret, timestamp: u32) -> Authenticator {
    let mut md5 = Md5::new();
    md5.update(id);
    md5.update([0; 9]);
    md5.update(secret.0.as_bytes());
    md5.update(digits::<10>(timestamp.into()));
    Authenticator(md5.finalize().into())
}

/// Whether a CONNECT was made with `secret`. A short id counts with its padding too: a client of the field sends that.
#[must_use]
pub fn proves(connect: &Connect, secret: &Secret) -> bool {
    let id = &connect.source_addr;
    [id.as_bytes(), id.field()]
        .into_iter()
        .any(|id| source(id, secret, connect.timestamp) == connect.authenticator)
}

/// `AuthenticatorISMG`: the MD5 of the status as it stands on the wire, `AuthenticatorSource`, and the secret.
#[must_use]
pub fn ismg(status: u32, layout: Layout, source: &Authenticator, secret: &Secret) -> Authenticator {
    let mut md5 = Md5::new();
    let wide = status.to_be_bytes();
    md5.update(&wide[wide.len() - layout.code_width()..]);
    md5.update(source.0);
    md5.update(secret.0.as_bytes());
    Authenticator(md5.finalize().into())
}

/// Whether the answer to `connect` was made with `secret`. Either width of the status counts: a server of the field
/// takes four bytes in 2.0 also. A refusal needs no authenticator.
#[must_use]
pub fn is_authentic(connect: &Connect, answer: &ConnectResp, secret: &Secret) -> bool {
    let made = |layout| ismg(answer.status, layout, &connect.authenticator, secret) == answer.authenticator;
    made(Layout::Two)
        || made(Layout::Three)
        || (answer.status != 0 && answer.authenticator == Authenticator::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Version;

    fn secret() -> Secret {
        Secret("1234".to_owned())
    }

    /// A CONNECT of `id` in the first second of the third of January: the timestamp has a zero in front.
    fn connect(id: &str, hashed: &[u8]) -> Connect {
        let timestamp = 103_000_000;
        Connect {
            source_addr: id.parse().unwrap(),
            authenticator: source(hashed, &secret(), timestamp),
            version: Version(0x20),
            timestamp,
        }
    }

    #[test]
    fn a_source_is_the_md5_of_the_standard() {
        let input = b"901234\0\0\0\0\0\0\0\0\x001234" as &[u8];
        let whole: [u8; 16] = Md5::digest([input, b"0103000000"].concat()).into();
        assert_eq!(source(b"901234", &secret(), 103_000_000), Authenticator(whole));
    }

    #[test]
    fn a_short_id_proves_itself_with_and_without_padding() {
        assert!(proves(&connect("9012", b"9012"), &secret()));
        assert!(proves(&connect("9012", b"9012\0\0"), &secret()));
        assert!(!proves(&connect("9012", b"9013"), &secret()));
        assert!(!proves(&connect("9012", b"9012"), &Secret("1235".to_owned())));
    }

    #[test]
    fn an_answer_is_authentic_with_either_width_of_its_status() {
        let connect = connect("901234", b"901234");
        for layout in [Layout::Two, Layout::Three] {
            let authenticator = ismg(0, layout, &connect.authenticator, &secret());
            let answer = ConnectResp { status: 0, authenticator, version: Version(0x20), foreign: false };
            assert!(is_authentic(&connect, &answer, &secret()));
            assert!(!is_authentic(&connect, &answer, &Secret("other".to_owned())));
            assert!(!is_authentic(&connect, &ConnectResp { status: 1, ..answer }, &secret()));
        }
    }

    #[test]
    fn zeros_are_right_only_in_a_refusal() {
        let answer = |status| ConnectResp {
            status,
            authenticator: Authenticator::ZERO,
            version: Version(0x20),
            foreign: false,
        };
        let connect = connect("901234", b"901234");
        assert!(is_authentic(&connect, &answer(3), &secret()));
        assert!(!is_authentic(&connect, &answer(0), &secret()));
    }
}
