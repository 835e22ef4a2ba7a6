//! The name of the sender that carriers want in each text, such as `【Example Bank】`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A sender's name and where it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// As it is shown, with its brackets.
    pub text: String,
    pub place: Place,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    #[default]
    Start,
    End,
}

impl Signature {
    /// The text with the signature, which is added unless it is at its place already.
    #[must_use]
    pub fn sign<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let signature = &self.text;
        match self.place {
            Place::Start if text.starts_with(signature) => Cow::Borrowed(text),
            Place::End if text.ends_with(signature) => Cow::Borrowed(text),
            Place::Start => Cow::Owned(format!("{signature}{text}")),
            Place::End => Cow::Owned(format!("{text}{signature}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signature(place: Place) -> Signature {
        Signature { text: "【银行】".to_owned(), place }
    }

    #[test]
    fn it_is_added_at_its_place_unless_it_is_there() {
        let start = signature(Place::Start);
        assert_eq!(start.sign("您好"), "【银行】您好");
        assert_eq!(start.sign("【银行】您好"), "【银行】您好");
        assert_eq!(start.sign("您好【银行】"), "【银行】您好【银行】");
        let end = signature(Place::End);
        assert_eq!(end.sign("您好"), "您好【银行】");
        assert_eq!(end.sign("您好【银行】"), "您好【银行】");
        assert_eq!(end.sign(""), "【银行】");
    }

    proptest! {
        #[test]
        fn signing_twice_is_signing_once(text in "[a【银行】]{0,8}", name in "[a【银行】]{0,4}", end: bool) {
            let place = if end { Place::End } else { Place::Start };
            let signature = Signature { text: name, place };
            let once = signature.sign(&text);
            prop_assert_eq!(signature.sign(&once), once.clone());
            prop_assert!(once.contains(text.as_str()) && once.len() <= text.len() + signature.text.len());
        }
    }
}
