//! What a member's thread waits for.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::member::Commit;

/// Many give, one takes.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    mail: Mutex<Mail>,
    filled: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct Mail {
    /// This process has written to one of the topics.
    pub(super) written: bool,
    /// Records are wanted, at most so many.
    pub(super) asked: Option<usize>,
    pub(super) commits: Vec<Commit>,
    pub(super) closed: bool,
}

impl Mailbox {
    pub(super) fn ring(&self) {
        self.put(|mail| mail.written = true);
    }

    pub(super) fn ask(&self, most: usize) {
        self.put(|mail| mail.asked = Some(most));
    }

    pub(super) fn commit(&self, commit: Commit) {
        self.put(|mail| mail.commits.push(commit));
    }

    pub(super) fn close(&self) {
        self.put(|mail| mail.closed = true);
    }

    /// Waits until there is something, `longest` at most, and takes it.
    pub(super) fn take(&self, longest: Duration) -> Mail {
        let waited = self.filled.wait_timeout_while(self.mail(), longest, |mail| mail.is_empty());
        let (mut mail, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut mail)
    }

    fn put(&self, put: impl FnOnce(&mut Mail)) {
        put(&mut self.mail());
        self.filled.notify_one();
    }

    /// The mail is whole between any two statements, so a panic elsewhere spoils nothing.
    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mail {
    fn is_empty(&self) -> bool {
        !self.written && self.asked.is_none() && self.commits.is_empty() && !self.closed
    }
}
