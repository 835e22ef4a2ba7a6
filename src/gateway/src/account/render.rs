//! A submission as the short messages of its account.

use domain::lifecycle::Delivery;
use domain::text::{Piece, Signature, SplitError, SplitSettings, split};
use domain::{Number, Stamp, Submission};
use thiserror::Error;
use wire::exchange::Submit;
use wire::text::Text;

/// The longest number in the carriers' fields, in digits.
const NUMBER: usize = 21;

/// How the account writes.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What the handset shows, before the extension.
    pub number: Number,
    pub split: SplitSettings,
    pub signature: Option<Signature>,
}

/// Why a submission cannot be sent by this account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CannotRender {
    #[error(transparent)]
    Split(#[from] SplitError),
    #[error("`extension` holds something else than digits")]
    Extension,
    #[error("the account's number and `extension` have {0} digits together, at most {NUMBER} fit")]
    TooLong(usize),
    #[error("`priority` is {0}; 0 to 9 are possible")]
    Priority(u8),
    /// The account's rules were others when it was taken, and a part of it may be on its way already.
    #[error("it was {was} parts when it was taken, by the rules of today it is {now}")]
    Changed { was: u8, now: usize },
}

impl Rules {
    /// Checks the submission, and counts its parts.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parts(&self, submission: &Submission) -> Result<u8, CannotRender> {
        if !submission.extension.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CannotRender::Extension);
        }
        let digits = self.number.digits().len() + submission.extension.len();
        if digits > NUMBER {
            return Err(CannotRender::TooLong(digits));
        }
        if submission.priority > 9 {
            return Err(CannotRender::Priority(submission.priority));
        }
        Ok(self.pieces(submission, 0)?.first().map_or(1, |piece| piece.parts))
    }

    /// Part `part` of the submission's `parts`. `key` gives the reference that its parts share, whenever they are made.
    ///
    /// # Errors
    /// What [`Rules::parts`] would have said, or it has another number of parts.
    pub fn submit(
        &self,
        submission: &Submission,
        key: i64,
        (part, parts): (u8, u8),
        valid_until: Option<Stamp>,
    ) -> Result<Submit, CannotRender> {
        // the low bits of the key: neighbours differ
        let reference = u16::try_from(key & 0xFFFF).unwrap_or_default();
        let mut pieces = self.pieces(submission, reference)?;
        if pieces.len() != usize::from(parts) || part == 0 || part > parts {
            return Err(CannotRender::Changed { was: parts, now: pieces.len() });
        }
        let Piece { coding, header, part, parts, content } = pieces.swap_remove(usize::from(part) - 1);
        let source = format!("{}{}", self.number.digits(), submission.extension);
        let source = source.parse().map_err(|_| CannotRender::TooLong(source.len()))?;
        let destination = Text::new(submission.to.national().as_bytes()).unwrap_or_default();
        Ok(Submit {
            source,
            destinations: vec![destination],
            coding: coding.number(),
            header,
            part,
            parts,
            content,
            report: submission.report.into(),
            priority: submission.priority,
            valid_until: valid_until.map(validity).unwrap_or_default(),
        })
    }

    /// The delivery of a message of the last run: if nothing of it was pushed, with as many parts as it has by the rules of
    /// today.
    #[must_use]
    pub fn renew(&self, submission: &Submission, delivery: Delivery) -> Delivery {
        match self.parts(submission) {
            Ok(parts) if delivery.is_untouched() => Delivery::new(parts, delivery.policy()),
            _ => delivery,
        }
    }

    fn pieces(&self, submission: &Submission, reference: u16) -> Result<Vec<Piece>, SplitError> {
        let text = &submission.text.0;
        match &self.signature {
            Some(signature) => split(&signature.sign(text), &self.split, reference),
            None => split(text, &self.split, reference),
        }
    }
}

/// SMPP 3.3's absolute time, with Beijing's distance from UTC in quarters of an hour.
fn validity(stamp: Stamp) -> Text<17> {
    let Stamp { year, month, day, hour, minute, second } = stamp;
    let text = format!("{:02}{month:02}{day:02}{hour:02}{minute:02}{second:02}032+", year % 100);
    text.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use domain::lifecycle::WhenUncertain;
    use domain::text::{Limits, Place, Preference, ReferenceWidth};

    use super::*;

    fn rules() -> Rules {
        Rules {
            number: "1069000001".parse().unwrap(),
            split: SplitSettings {
                preference: Preference::Ucs2,
                reference_width: ReferenceWidth::Eight,
                limits: Limits::cmpp(),
                most_parts: 3,
            },
            signature: None,
        }
    }

    fn submission(text: &str) -> Submission {
        let json = serde_json::json!({
            "uaop_id": "m1", "empi_id": "b", "class": "c", "to": "+8613800138000", "extension": "42", "text": text,
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_submission_becomes_its_parts_the_same_whenever_they_are_made() {
        let submission = submission(&"长".repeat(100));
        assert_eq!(rules().parts(&submission), Ok(2));
        let second = rules().submit(&submission, 0x1_0203, (2, 2), None).unwrap();
        assert_eq!((second.part, second.parts, second.coding, second.header), (2, 2, 8, true));
        assert_eq!(second.content[..6], [5, 0, 3, 3, 2, 2]);
        assert_eq!(
            (second.source.to_text(), second.destinations[0].to_text()),
            ("106900000142".into(), "13800138000".into())
        );
        assert_eq!(rules().submit(&submission, 0x1_0203, (2, 2), None), Ok(second));
    }

    #[test]
    fn the_signature_is_in_the_text_and_the_end_of_its_time_in_the_submit() {
        let signature = Signature { text: "[Bank]".to_owned(), place: Place::Start };
        let rules = Rules { signature: Some(signature), ..rules() };
        let end = Stamp { year: 2026, month: 3, day: 1, hour: 8, minute: 5, second: 9 };
        let submit = rules.submit(&submission("hi"), 1, (1, 1), Some(end)).unwrap();
        assert_eq!(submit.content, b"[Bank]hi");
        assert_eq!(submit.valid_until.to_text(), "260301080509032+");
    }

    #[test]
    fn rules_that_have_changed_send_no_half_of_a_message() {
        let submission = submission(&"长".repeat(100));
        let changed = Err(CannotRender::Changed { was: 1, now: 2 });
        assert_eq!(rules().submit(&submission, 1, (1, 1), None), changed);
        let changed = Err(CannotRender::Changed { was: 3, now: 2 });
        assert_eq!(rules().submit(&submission, 1, (3, 3), None), changed);
    }

    #[test]
    fn a_message_that_nothing_was_sent_of_follows_the_rules_of_today() {
        let submission = submission(&"长".repeat(100));
        let untouched = Delivery::new(1, WhenUncertain::Mark);
        assert_eq!(rules().renew(&submission, untouched), Delivery::new(2, WhenUncertain::Mark));
        let mut pushed = Delivery::new(1, WhenUncertain::Mark);
        pushed.pushed(1, "a").unwrap();
        assert_eq!(rules().renew(&submission, pushed.clone()), pushed);
    }

    #[test]
    fn what_cannot_be_sent_says_why() {
        assert_eq!(
            rules().parts(&submission(&"长".repeat(300))),
            Err(CannotRender::Split(SplitError::TooManyParts { needed: 5, most: 3 }))
        );
        let with = |extension: &str, priority| Submission {
            extension: extension.to_owned(),
            priority,
            ..submission("hi")
        };
        assert_eq!(rules().parts(&with("1x", 0)), Err(CannotRender::Extension));
        assert_eq!(rules().parts(&with("123456789012", 0)), Err(CannotRender::TooLong(22)));
        assert_eq!(rules().parts(&with("1", 10)), Err(CannotRender::Priority(10)));
    }
}
