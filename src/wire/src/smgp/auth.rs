//! The two authenticators of a login.

use std::fmt;

use md5::{Digest, Md5};

use crate::protocol::Secret;
use crate::text::Text;

/// An MD5 digest that proves a shared secret. It does not show itself: with the rest of a login it can be searched
/// for the secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Authenticator(pub [u8; 16]);

impl Authenticator {
    /// What the standard asks of a server that refuses.
    pub const EMPTY: Self = Self([0; 16]);

    /// `AuthenticatorClient`: MD5 of `ClientID` without its padding, 7 NULs, the secret, and `timestamp`
    /// (`MMDDHHMMSS`) in ten digits.
    #[must_use]
    pub fn client(id: &Text<8>, secret: &Secret, timestamp: u32) -> Self {
        of_client(id.as_bytes(), secret, timestamp)
    }

    /// The same over `ClientID` with its padding, which some clients send and the standard does not say.
    #[must_use]
    pub fn client_padded(id: &Text<8>, secret: &Secret, timestamp: u32) -> Self {
        of_client(id.field(), secret, timestamp)
    }

    /// `AuthenticatorServer`: MD5 of the status in four bytes, `AuthenticatorClient`, and the secret.
    #[must_use]
    pub fn server(status: u32, client: Self, secret: &Secret) -> Self {
        let digest = Md5::new().chain_update(status.to_be_bytes()).chain_update(client.0);
        Self(digest.chain_update(&secret.0).finalize().into())
    }
}

fn of_client(id: &[u8], secret: &Secret, timestamp: u32) -> Authenticator {
    let digest = Md5::new().chain_update(id).chain_update([0; 7]).chain_update(&secret.0);
    Authenticator(digest.chain_update(format!("{timestamp:010}")).finalize().into())
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timestamp_has_ten_digits() {
        let secret = Secret("secret".to_owned());
        let digest = Md5::digest(b"901234\0\0\0\0\0\0\0secret0301000000");
        let id = "901234".parse().unwrap();
        assert_eq!(Authenticator::client(&id, &secret, 301_000_000).0, <[u8; 16]>::from(digest));
    }

    #[test]
    fn padding_makes_no_difference_to_an_id_of_eight_bytes() {
        let (secret, long) = (Secret("s".to_owned()), "12345678".parse().unwrap());
        assert_eq!(Authenticator::client(&long, &secret, 1), Authenticator::client_padded(&long, &secret, 1));
        let short = "1234567".parse().unwrap();
        assert_ne!(
            Authenticator::client(&short, &secret, 1),
            Authenticator::client_padded(&short, &secret, 1)
        );
    }
}
