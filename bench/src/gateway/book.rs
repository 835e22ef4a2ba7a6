//! Follows the events, as a UAOP does, and writes down what became of each message.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use testkit::line::Uplink;

/// Events asked for at once, and how long for the first.
const MOST: usize = 10_000;
const WAIT_SECONDS: u64 = 1;
/// A round that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(120);
const CONSUMER: &str = "bench";

/// What the events said of each message.
#[derive(Debug, Default)]
pub struct Book {
    pages: Mutex<Pages>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Pages {
    entries: Vec<Entry>,
    last: u64,
    answered: usize,
    reported: usize,
    failed: bool,
}

/// How often each event came, and when; milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    pub pushed: u32,
    pub answered: u32,
    pub finished: u32,
    pub reported: u32,
    pub answered_at: u64,
    pub reported_at: u64,
}

/// What of an event is looked at.
#[derive(Deserialize)]
struct Line<'a> {
    id: u64,
    at: u64,
    event: &'a str,
    #[serde(borrow)]
    uaop_id: Option<&'a str>,
    #[serde(borrow)]
    outcome: Option<&'a str>,
}

impl Book {
    pub fn new(messages: usize) -> Self {
        let pages = Pages { entries: vec![Entry::default(); messages], ..Pages::default() };
        Self { pages: Mutex::new(pages), more: Condvar::new() }
    }

    /// Reads and acknowledges until there is nothing more to come.
    pub fn follow(&self, uplink: &Uplink) -> Result<()> {
        let result = self.read_all(uplink);
        self.pages().failed = result.is_err();
        self.more.notify_all();
        result
    }

    /// Waits until so many messages are answered.
    pub fn wait_answered(&self, count: usize) -> Result<()> {
        let mut pages = self.pages();
        let start = Instant::now();
        while pages.answered < count {
            ensure!(!pages.failed, "nobody follows the events any more");
            let left = PATIENCE.checked_sub(start.elapsed()).context("no answers come")?;
            (pages, _) = self.more.wait_timeout(pages, left).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    pub fn entries(self) -> Vec<Entry> {
        self.pages.into_inner().unwrap_or_else(PoisonError::into_inner).entries
    }

    fn read_all(&self, uplink: &Uplink) -> Result<()> {
        let start = Instant::now();
        loop {
            let after = self.pages().last;
            let path = format!("/events?consumer={CONSUMER}&after={after}&most={MOST}&wait={WAIT_SECONDS}");
            let response = uplink.request("GET", &path, "")?;
            ensure!(response.status == 200, "{path} answers {}: {}", response.status, response.body);
            let mut pages = self.pages();
            response.body.lines().try_for_each(|line| pages.write(line))?;
            self.more.notify_all();
            let Pages { reported, answered, .. } = *pages;
            if reported >= pages.entries.len() && response.body.is_empty() {
                return Ok(());
            }
            ensure!(
                start.elapsed() < PATIENCE,
                "{PATIENCE:?} have passed: {answered} of {} are answered, {reported} reported",
                pages.entries.len()
            );
        }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn write(&mut self, line: &str) -> Result<()> {
        let Line { id, at, event, uaop_id, outcome } =
            serde_json::from_str(line).with_context(|| format!("the gateway says {line}"))?;
        ensure!(id > self.last, "event {id} comes after {}", self.last);
        self.last = id;
        if event == "link_up" {
            return Ok(());
        }
        let number = uaop_id.and_then(|id| id.strip_prefix("m-")?.parse::<usize>().ok());
        let entry = number.and_then(|number| self.entries.get_mut(number));
        let entry = entry.with_context(|| format!("an event of no message of this round: {line}"))?;
        match event {
            "pushed" => entry.pushed += 1,
            "answered" => {
                entry.answered += 1;
                entry.answered_at = at;
                self.answered += 1;
            }
            "finished" => {
                entry.finished += 1;
                ensure!(outcome == Some("accepted"), "it is not accepted: {line}");
            }
            "reported" => {
                entry.reported += 1;
                entry.reported_at = at;
                self.reported += 1;
            }
            _ => bail!("an event that nobody waits for: {line}"),
        }
        Ok(())
    }
}

impl Entry {
    /// Each event came once.
    pub fn is_whole(&self) -> bool {
        [self.pushed, self.answered, self.finished, self.reported] == [1; 4]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_whole_when_each_event_came_once() {
        let mut pages = Pages { entries: vec![Entry::default(); 2], ..Pages::default() };
        for (index, event) in ["pushed", "answered", "finished", "reported"].iter().enumerate() {
            assert!(!pages.entries[1].is_whole());
            let line = format!(
                r#"{{"id":{},"at":7,"event":"{event}","uaop_id":"m-0000001","outcome":"accepted"}}"#,
                index + 1
            );
            pages.write(&line).unwrap();
        }
        assert!(pages.entries[1].is_whole());
        assert_eq!((pages.answered, pages.reported, pages.entries[1].answered_at), (1, 1, 7));
    }

    #[test]
    fn what_should_not_come_is_an_error() {
        let mut pages = Pages { entries: vec![Entry::default(); 1], ..Pages::default() };
        for line in [
            r#"{"id":1,"at":7,"event":"link_down"}"#,
            r#"{"id":2,"at":7,"event":"pushed","uaop_id":"m-0000001"}"#,
            r#"{"id":3,"at":7,"event":"finished","uaop_id":"m-0000000","outcome":"refused"}"#,
            r#"{"id":3,"at":7,"event":"pushed","uaop_id":"m-0000000"}"#,
        ] {
            assert!(pages.write(line).is_err(), "{line}");
        }
    }
}
