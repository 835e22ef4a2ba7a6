//! What the bank is told.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::Bank;
use crate::follow::Follow;

/// Items asked for at once, and how long for the first, in seconds.
const MOST: usize = 1_000;
const WAIT_SECONDS: u64 = 1;

/// Fetches reports and users' messages by cursor, whatever becomes of the EMPIs; a thread asks for more as long as this
/// lives.
#[derive(Debug)]
pub struct Mailbox(Follow<Seen>);

/// What has come.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// By `uaopId`: the reports as they came.
    pub reports: BTreeMap<String, Vec<Value>>,
    pub user_messages: Vec<Value>,
    /// The last cursor.
    pub cursor: i64,
    /// A cursor came that was not higher than the one before.
    pub backwards: bool,
}

impl Mailbox {
    /// From the first item on.
    #[must_use]
    pub fn follow(bank: Bank) -> Self {
        let mut after = None;
        Self(Follow::new(move || {
            let after_it = after.map_or_else(String::new, |after: i64| format!("&after={after}"));
            let answer = bank.ask(&format!("/v1/reports?most={MOST}&wait={WAIT_SECONDS}{after_it}"))?;
            after = answer["next"].as_i64().or(after);
            Ok(move |seen: &mut Seen| {
                answer["items"].as_array().into_iter().flatten().for_each(|item| seen.add(item));
            })
        }))
    }

    /// Looks at what has come.
    pub fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        self.0.look(look)
    }

    /// Waits until what has come satisfies `condition`, which is asked after each answer.
    ///
    /// # Errors
    /// The deadline has passed.
    pub fn wait<T>(
        &self,
        what: &str,
        deadline: Duration,
        condition: impl FnMut(&Seen) -> Option<T>,
    ) -> Result<T> {
        let so_far = |seen: &Seen| format!("reports about {} messages so far", seen.reports.len());
        self.0.wait(what, deadline, condition, so_far)
    }
}

impl Seen {
    fn add(&mut self, item: &Value) {
        let cursor = item["cursor"].as_i64().unwrap_or(i64::MIN);
        self.backwards |=
            self.cursor >= cursor && !(self.reports.is_empty() && self.user_messages.is_empty());
        self.cursor = cursor;
        match item["kind"].as_str() {
            Some("report") => {
                let id = item["uaop_id"].as_str().unwrap_or_default().to_owned();
                self.reports.entry(id).or_default().push(item.clone());
            }
            _ => self.user_messages.push(item.clone()),
        }
    }
}
