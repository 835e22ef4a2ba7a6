//! Between frames and our own types.

use std::fmt::Display;
use std::str::FromStr;

use domain::{MessageText, Millis};

use super::generated as wire;

/// Who the peer says it is.
///
/// # Errors
/// It does not say.
pub fn identity(from: Option<wire::Identity>) -> Result<crate::Identity, String> {
    let from = from.ok_or("the peer does not say who it is")?;
    let role = role(from.role()).ok_or("the peer has a role that is not known here")?;
    if from.node.is_empty() || from.node.len() > domain::id::MAX_LENGTH {
        return Err(format!("the name of a node has 1 to {} bytes", domain::id::MAX_LENGTH));
    }
    Ok(crate::Identity { role, node: from.node, site: from.site })
}

/// A message that is offered.
///
/// # Errors
/// What is wrong with it; no word of its content.
pub fn offer(offer: wire::Offer) -> Result<crate::Offer, String> {
    let from = offer.submission.ok_or("the message is missing")?;
    let submission = domain::Submission {
        uaop_id: parse("uaop_id", &from.uaop_id)?,
        empi_id: parse("empi_id", &from.empi_id)?,
        class: parse("class", &from.class)?,
        account: from.account.map(|account| parse("account", &account)).transpose()?,
        to: parse("to", &from.to)?,
        extension: from.extension,
        text: MessageText(from.text),
        report: from.report,
        priority: u8::try_from(from.priority).map_err(|_| "priority is larger than 255")?,
        not_after: from.not_after.map(Millis),
    };
    Ok(crate::Offer { submission, again: offer.again })
}

fn parse<T: FromStr<Err: Display>>(field: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{field} {error}"))
}

/// # Errors
/// It is of a kind that is not known here.
pub fn verdict(verdict: wire::Verdict) -> Result<crate::Verdict, String> {
    Ok(match verdict.kind.ok_or("a verdict is of a kind that is not known here")? {
        wire::verdict::Kind::Taken(wire::Taken { duplicate }) => crate::Verdict::Taken { duplicate },
        wire::verdict::Kind::Later(reason) => crate::Verdict::Later { reason },
        wire::verdict::Kind::InDoubt(reason) => crate::Verdict::InDoubt { reason },
        wire::verdict::Kind::Refused(reason) => crate::Verdict::Refused { reason },
    })
}

fn role(role: wire::Role) -> Option<crate::Role> {
    match role {
        wire::Role::Unspecified => None,
        wire::Role::Empi => Some(crate::Role::Empi),
        wire::Role::Uaop => Some(crate::Role::Uaop),
        wire::Role::Gateway => Some(crate::Role::Gateway),
        wire::Role::Center => Some(crate::Role::Center),
    }
}

impl From<crate::Role> for wire::Role {
    fn from(role: crate::Role) -> Self {
        match role {
            crate::Role::Empi => Self::Empi,
            crate::Role::Uaop => Self::Uaop,
            crate::Role::Gateway => Self::Gateway,
            crate::Role::Center => Self::Center,
        }
    }
}

impl From<&crate::Identity> for wire::Identity {
    fn from(identity: &crate::Identity) -> Self {
        let role = wire::Role::from(identity.role).into();
        Self { role, node: identity.node.clone(), site: identity.site.clone() }
    }
}

impl From<crate::Standing> for wire::Standing {
    fn from(crate::Standing { ready, reason }: crate::Standing) -> Self {
        Self { ready, reason }
    }
}

impl From<wire::Standing> for crate::Standing {
    fn from(wire::Standing { ready, reason }: wire::Standing) -> Self {
        Self { ready, reason }
    }
}

impl From<crate::Offer> for wire::Offer {
    fn from(crate::Offer { submission, again }: crate::Offer) -> Self {
        let domain::Submission {
            uaop_id,
            empi_id,
            class,
            account,
            to,
            extension,
            text,
            report,
            priority,
            not_after,
        } = submission;
        let submission = wire::Submission {
            uaop_id: uaop_id.into(),
            empi_id: empi_id.into(),
            class: class.into(),
            account: account.map(String::from),
            to: to.into(),
            extension,
            text: text.0,
            report,
            priority: priority.into(),
            not_after: not_after.map(|Millis(millis)| millis),
        };
        Self { submission: Some(submission), again }
    }
}

impl From<crate::Verdict> for wire::Verdict {
    fn from(verdict: crate::Verdict) -> Self {
        let kind = match verdict {
            crate::Verdict::Taken { duplicate } => wire::verdict::Kind::Taken(wire::Taken { duplicate }),
            crate::Verdict::Later { reason } => wire::verdict::Kind::Later(reason),
            crate::Verdict::InDoubt { reason } => wire::verdict::Kind::InDoubt(reason),
            crate::Verdict::Refused { reason } => wire::verdict::Kind::Refused(reason),
        };
        Self { kind: Some(kind) }
    }
}

impl From<crate::Numbered> for wire::Event {
    fn from(crate::Numbered { id, event }: crate::Numbered) -> Self {
        Self { id, json: event }
    }
}

impl From<wire::Event> for crate::Numbered {
    fn from(wire::Event { id, json }: wire::Event) -> Self {
        Self { id, event: json }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> crate::Offer {
        let submission = domain::Submission {
            uaop_id: "m1".parse().unwrap(),
            empi_id: "bank".parse().unwrap(),
            class: "notice".parse().unwrap(),
            account: Some("cm-1".parse().unwrap()),
            to: "8613800138000".parse().unwrap(),
            extension: "42".to_owned(),
            text: MessageText("你好".to_owned()),
            report: true,
            priority: 9,
            not_after: Some(Millis(1_700_000_000_123)),
        };
        crate::Offer { submission, again: true }
    }

    #[test]
    fn every_field_of_an_offer_comes_over() {
        assert_eq!(offer(full().into()), Ok(full()));
        let mut bare = full();
        bare.submission = domain::Submission {
            account: None,
            extension: String::new(),
            report: false,
            priority: 0,
            not_after: None,
            ..bare.submission
        };
        bare.again = false;
        assert_eq!(offer(bare.clone().into()), Ok(bare));
    }

    #[test]
    fn every_verdict_comes_over() {
        for sent in [
            crate::Verdict::Taken { duplicate: false },
            crate::Verdict::Taken { duplicate: true },
            crate::Verdict::Later { reason: "full".to_owned() },
            crate::Verdict::InDoubt { reason: "no copy".to_owned() },
            crate::Verdict::Refused { reason: String::new() },
        ] {
            assert_eq!(verdict(sent.clone().into()), Ok(sent));
        }
    }

    #[test]
    fn what_is_wrong_with_an_offer_is_said_without_its_content() {
        let wrong = |change: fn(&mut wire::Submission)| {
            let mut sent = wire::Offer::from(full());
            change(sent.submission.as_mut().unwrap());
            offer(sent).unwrap_err()
        };
        assert_eq!(wrong(|sent| sent.to = "13800x".to_owned()), "to holds something else than digits");
        assert_eq!(wrong(|sent| sent.uaop_id.clear()), "uaop_id is empty");
        assert_eq!(wrong(|sent| sent.priority = 256), "priority is larger than 255");
        assert_eq!(wrong(|sent| sent.account = Some(String::new())), "account is empty");
        assert_eq!(offer(wire::Offer::default()).unwrap_err(), "the message is missing");
    }

    #[test]
    fn a_frame_that_is_printed_does_not_show_a_number_or_a_text() {
        let shown = format!("{:?}", wire::Offer::from(full()));
        assert!(shown.contains("m1") && !shown.contains("13800") && !shown.contains('你'), "{shown}");
    }
}
