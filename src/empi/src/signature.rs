//! The signature of a request: of banks' requests, and of calls to banks.
//!
//! HMAC-SHA256 with the secret of a key, over five lines joined by line feeds: method, path with query, time, nonce, and the
//! SHA-256 of the body in hexadecimal; none of them can hold a line feed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::config::Secret;

/// The scheme of the `Authorization` header.
pub const SCHEME: &str = "SMSLINE-HMAC-SHA256";

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    pub method: &'a str,
    /// Path and query, as they are in the request.
    pub target: &'a str,
    /// As it is in the header: milliseconds since 1970.
    pub time: &'a str,
    pub nonce: &'a str,
    pub body: &'a [u8],
}

/// Signs and verifies with one secret.
#[derive(Clone)]
pub struct Signer(Hmac<Sha256>);

impl Signer {
    /// `None` never comes: HMAC takes a secret of any length.
    #[must_use]
    pub fn new(secret: &Secret) -> Option<Self> {
        Hmac::new_from_slice(secret.0.as_bytes()).ok().map(Self)
    }

    /// The signature, in base64.
    #[must_use]
    pub fn sign(&self, signed: &Signed<'_>) -> String {
        STANDARD.encode(self.mac(signed).finalize().into_bytes())
    }

    /// Whether the signature is of this; takes the same time wherever it differs.
    #[must_use]
    pub fn verify(&self, signed: &Signed<'_>, signature: &str) -> bool {
        STANDARD.decode(signature).is_ok_and(|bytes| self.mac(signed).verify_slice(&bytes).is_ok())
    }

    /// The `Authorization` header of a request.
    #[must_use]
    pub fn header(&self, key: &str, signed: &Signed<'_>) -> String {
        let (time, nonce, signature) = (signed.time, signed.nonce, self.sign(signed));
        format!("{SCHEME} key=\"{key}\", time=\"{time}\", nonce=\"{nonce}\", signature=\"{signature}\"")
    }

    fn mac(&self, signed: &Signed<'_>) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(canonical(signed).as_bytes());
        mac
    }
}

/// The text that is signed.
#[must_use]
pub fn canonical(signed: &Signed<'_>) -> String {
    let Signed { method, target, time, nonce, body } = signed;
    let body = HEXLOWER.encode(&Sha256::digest(body));
    [*method, *target, *time, *nonce, body.as_str()].join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signer(secret: &str) -> Signer {
        Signer::new(&Secret(secret.to_owned())).unwrap()
    }

    #[test]
    fn the_example_of_the_documentation_is_right() {
        let body =
            br#"{"messages":[{"reference":"order-1","to":"13800138000","text":"hello","class":"notice"}]}"#;
        let signed = Signed {
            method: "POST",
            target: "/v1/messages",
            time: "1790000000000",
            nonce: "5f0c1b7e9a2d4c38",
            body,
        };
        let text = "POST\n/v1/messages\n1790000000000\n5f0c1b7e9a2d4c38\n";
        assert_eq!(canonical(&signed), format!("{text}{}", HEXLOWER.encode(&Sha256::digest(body))));
        let header = signer("0123456789abcdef0123456789abcdef").header("core-1", &signed);
        let page = include_str!("../../../docs/empi.md");
        assert!(page.contains(&header), "{header}");
    }

    #[test]
    fn it_is_the_hmac_of_rfc_4231() {
        let mac =
            Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap().chain_update(b"what do ya want for nothing?");
        let hex = HEXLOWER.encode(&mac.finalize().into_bytes());
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    fn fields() -> impl Strategy<Value = (String, String, String, String, Vec<u8>)> {
        let body = prop::collection::vec(any::<u8>(), 0..8);
        ("(GET|POST|P)", "/[a-z/?=&%]{0,6}", "[0-9]{1,4}", "[ -~]{0,4}", body)
    }

    fn of((method, target, time, nonce, body): &(String, String, String, String, Vec<u8>)) -> Signed<'_> {
        Signed { method, target, time, nonce, body }
    }

    proptest! {
        #[test]
        fn two_requests_have_one_text_only_if_they_are_the_same(one in fields(), other in fields()) {
            prop_assert_eq!(canonical(&of(&one)) == canonical(&of(&other)), one == other);
        }

        #[test]
        fn a_signature_holds_for_its_request_and_secret_alone(one in fields(), other in fields(), bit in 0_usize..256) {
            let signer = signer("a secret of sixteen");
            let signature = signer.sign(&of(&one));
            prop_assert!(signer.verify(&of(&one), &signature));
            prop_assert_eq!(signer.verify(&of(&other), &signature), one == other);
            let stranger = Signer::new(&Secret("another secret of it".to_owned())).unwrap();
            prop_assert!(!stranger.verify(&of(&one), &signature));
            let mut bytes = STANDARD.decode(&signature).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!signer.verify(&of(&one), &STANDARD.encode(&bytes)));
            prop_assert!(!signer.verify(&of(&one), &STANDARD.encode(&bytes[..31])));
        }

        #[test]
        fn what_is_no_base64_is_no_signature(text in "[^A-Za-z0-9+/=]{0,44}") {
            let signed = Signed { method: "GET", target: "/", time: "1", nonce: "n", body: b"" };
            prop_assert!(!signer("a secret of sixteen").verify(&signed, &text));
        }
    }
}
