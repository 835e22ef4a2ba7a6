//! Rows as both engines have them.

use domain::{ForBank, Millis, Submission, UaopId};
use sha2::{Digest, Sha256};

use super::{Call, Entry, Item, MessageView};
pub(super) use crate::row::{Strange, count, from_sql, json, limit, to_sql};

/// Bytes of the digest that are kept: enough that two messages do not share one by chance.
const DIGEST: usize = 16;
/// Messages are counted by the minute.
const MINUTE: u64 = 60_000;

/// A message to be inserted.
#[derive(Clone, Debug)]
pub(super) struct NewMessage {
    pub uaop_id: UaopId,
    pub bank: String,
    pub reference: String,
    pub digest: Vec<u8>,
    pub at: i64,
    pub minute: i64,
    pub submission: String,
}

impl NewMessage {
    pub(super) fn of(entry: Entry) -> Self {
        Self {
            digest: digest(&entry.submission),
            submission: json(&entry.submission),
            uaop_id: entry.submission.uaop_id,
            bank: entry.bank.into(),
            reference: entry.reference.into(),
            at: to_sql(entry.at),
            minute: minute(entry.at),
        }
    }
}

/// Of what a bank may not change under one reference. Each field has its length before it, so that no two lists of
/// fields run together into the same bytes.
fn digest(submission: &Submission) -> Vec<u8> {
    let Submission {
        uaop_id: _,
        empi_id: _,
        class,
        account: _,
        to,
        extension,
        text,
        report,
        priority,
        not_after,
    } = submission;
    let not_after = not_after.map_or_else(String::new, |at| at.0.to_string());
    let numbers = [u8::from(*report), *priority];
    let mut digest = Sha256::new();
    let texts = [to.digits(), &text.0, class.as_str(), extension, &not_after].map(str::as_bytes);
    for field in texts.into_iter().chain([&numbers[..]]) {
        digest.update((field.len() as u64).to_be_bytes());
        digest.update(field);
    }
    digest.finalize()[..DIGEST].to_vec()
}

/// A message as it is read.
#[derive(Debug)]
pub(super) struct StoredMessage {
    pub key: i64,
    pub bank: String,
    pub reference: String,
    pub submission: String,
    pub accepted_at: i64,
    pub handed_at: Option<i64>,
    pub report: Option<String>,
}

impl StoredMessage {
    pub(super) fn view(self) -> Result<MessageView, Strange> {
        let strange = Strange { table: "messages", key: self.key };
        let view = || {
            let report = match self.report {
                None => None,
                Some(json) => match serde_json::from_str(&json).ok()? {
                    ForBank::Report(report) => Some(report),
                    ForBank::Mo(_) => return None,
                },
            };
            Some(MessageView {
                bank: self.bank.parse().ok()?,
                reference: self.reference.parse().ok()?,
                submission: serde_json::from_str(&self.submission).ok()?,
                accepted_at: from_sql(self.accepted_at),
                handed_at: self.handed_at.map(from_sql),
                report,
            })
        };
        view().ok_or(strange)
    }
}

/// An item as it is read.
#[derive(Debug)]
pub(super) struct StoredItem {
    pub cursor: i64,
    pub bank: Option<String>,
    pub reference: Option<String>,
    pub item: String,
}

impl StoredItem {
    pub(super) fn item(self) -> Result<Item, Strange> {
        let strange = Strange { table: "items", key: self.cursor };
        let item = || {
            Some(Item {
                cursor: self.cursor,
                bank: self.bank.map(|bank| bank.parse()).transpose().ok()?,
                reference: self.reference.map(|reference| reference.parse()).transpose().ok()?,
                item: serde_json::from_str(&self.item).ok()?,
            })
        };
        item().ok_or(strange)
    }
}

/// A call as it is read.
#[derive(Debug)]
pub(super) struct StoredCall {
    pub bank: String,
    pub tries: i64,
    pub since: i64,
    pub item: StoredItem,
}

impl StoredCall {
    pub(super) fn call(self) -> Result<Call, Strange> {
        let strange = Strange { table: "calls", key: self.item.cursor };
        Ok(Call {
            bank: self.bank.parse().map_err(|_| strange)?,
            item: self.item.item()?,
            tries: u32::try_from(self.tries).unwrap_or(u32::MAX),
            since: from_sql(self.since),
        })
    }
}

pub(super) fn submission(key: i64, json: &str) -> Result<(i64, Submission), Strange> {
    let submission = serde_json::from_str(json).map_err(|_| Strange { table: "messages", key })?;
    Ok((key, submission))
}

/// The minute of a moment.
pub(super) fn minute(at: Millis) -> i64 {
    to_sql(Millis(at.0 / MINUTE))
}

#[cfg(test)]
mod tests {
    use domain::MessageText;

    use super::*;

    fn submission() -> Submission {
        Submission {
            uaop_id: "m-1".parse().unwrap(),
            empi_id: "bank-1".parse().unwrap(),
            class: "notice".parse().unwrap(),
            account: None,
            to: "13800138000".parse().unwrap(),
            extension: "12".to_owned(),
            text: MessageText("text".to_owned()),
            report: true,
            priority: 5,
            not_after: None,
        }
    }

    #[test]
    fn what_the_bank_says_is_in_the_digest_and_nothing_else() {
        let before = digest(&submission());
        let changes: [fn(&mut Submission); 7] = [
            |s| s.to = "13800138001".parse().unwrap(),
            |s| s.text = MessageText("texT".to_owned()),
            |s| s.class = "other".parse().unwrap(),
            |s| s.extension = "13".to_owned(),
            |s| s.report = false,
            |s| s.priority = 6,
            |s| s.not_after = Some(Millis(0)),
        ];
        for change in changes {
            let mut changed = submission();
            change(&mut changed);
            assert_ne!(digest(&changed), before, "{changed:?}");
        }
        let mut same = submission();
        same.uaop_id = "m-2".parse().unwrap();
        same.account = Some("main".parse().unwrap());
        assert_eq!(digest(&same), before);
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let mut one = submission();
        one.text = MessageText("ab".to_owned());
        one.class = "c".parse().unwrap();
        let mut other = submission();
        other.text = MessageText("a".to_owned());
        other.class = "bc".parse().unwrap();
        assert_ne!(digest(&one), digest(&other));
    }
}
