//! The id of a message, which every EMPI of a pair makes the same of the same request.

use data_encoding::BASE32_NOPAD;
use domain::{Bank, BankReference, EmpiId, Number, UaopId};
use sha2::{Digest as _, Sha256};

/// Of one message to one recipient: 26 characters of base32, in lower case.
#[must_use]
pub fn uaop_id(empi: &EmpiId, bank: &Bank, reference: &BankReference, to: &Number) -> Option<UaopId> {
    let mut hash = Sha256::new();
    for field in [empi.as_str(), bank.as_str(), reference.as_str(), to.digits()] {
        // so that no two lists of fields are one
        hash.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(field);
    }
    let text = BASE32_NOPAD.encode(&hash.finalize()[..16]);
    text.to_ascii_lowercase().parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(empi: &str, bank: &str, reference: &str, to: &str) -> UaopId {
        let (empi, bank) = (empi.parse().unwrap(), bank.parse().unwrap());
        uaop_id(&empi, &bank, &reference.parse().unwrap(), &to.parse().unwrap()).unwrap()
    }

    #[test]
    fn it_does_not_change_from_version_to_version() {
        assert_eq!(id("bank-1", "core", "r-1", "13800138000").as_str(), "eig2yzg5d4ihzaylvjznhaujou");
    }

    proptest! {
        #[test]
        fn requests_that_differ_have_ids_that_differ(
            one in ("[ab]{1,3}", "[ab]{1,3}", "[ab]{1,3}", "[1-2]{1,3}"),
            other in ("[ab]{1,3}", "[ab]{1,3}", "[ab]{1,3}", "[1-2]{1,3}"),
        ) {
            let of = |(empi, bank, reference, to): &(String, String, String, String)| id(empi, bank, reference, to);
            prop_assert_eq!(of(&one) == of(&other), one == other);
        }
    }
}
