//! How far it is, for whoever waits at a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Between two pictures.
const REFRESH: Duration = Duration::from_millis(200);

/// One line on standard error, if that is a terminal.
#[derive(Debug)]
pub(super) struct Progress {
    started: Instant,
    shown: Option<Instant>,
    visible: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), shown: None, visible: io::stderr().is_terminal() }
    }

    /// Shows that so many messages are answered, unless that was just shown.
    pub(super) fn show(&mut self, messages: u64) {
        if self.visible && self.shown.is_none_or(|shown| shown.elapsed() >= REFRESH) {
            self.shown = Some(Instant::now());
            self.draw(messages, "\r");
        }
    }

    /// The last picture.
    pub(super) fn end(&self, messages: u64) {
        if self.visible {
            self.draw(messages, "\n");
        }
    }

    fn draw(&self, messages: u64, end: &str) {
        let text = picture(messages, self.started.elapsed());
        let mut terminal = io::stderr();
        // a terminal that has gone away is no reason to stop sending
        let _ = write!(terminal, "\r{text}  {end}").and_then(|()| terminal.flush());
    }
}

fn picture(messages: u64, took: Duration) -> String {
    #[expect(clippy::cast_precision_loss, reason = "nobody sends 2^52 messages")]
    let rate = messages as f64 / took.as_secs_f64().max(0.001);
    format!("{messages} messages in {:.1} s, {rate:.0} a second", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_all_messages() {
        assert_eq!(picture(1500, Duration::from_secs(3)), "1500 messages in 3.0 s, 500 a second");
        assert_eq!(picture(0, Duration::ZERO), "0 messages in 0.0 s, 0 a second");
    }
}
