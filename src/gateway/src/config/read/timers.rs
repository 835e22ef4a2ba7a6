//! Waiting: `timers:`, `reconnect:`, `retry:` and `slow_down:` of an account.

use std::time::Duration;

use settings::{Problem, Section, between, not_zero};

use super::account::only;
use crate::config::{Backoff, Protocol, SlowDown, Timers};

pub(super) fn timers(section: Option<Section<'_>>, protocol: Protocol) -> Timers {
    let is_sgip = protocol == Protocol::Sgip12;
    let mut timers = Timers {
        answer: Duration::from_secs(if is_sgip { 30 } else { 60 }),
        tries: 3,
        idle: Duration::from_secs(180),
        idle_end: is_sgip.then_some(Duration::from_secs(60)),
        login: Duration::from_secs(30),
        connect: Duration::from_secs(10),
    };
    let Some(mut section) = section else { return timers };
    timers.answer = section.checked("answer", timers.answer, not_zero);
    timers.tries = section.checked("tries", timers.tries, between(1, 10));
    timers.idle = section.checked("idle", timers.idle, not_zero);
    only(&section, "idle", !is_sgip, "CMPP and SMGP have a probe");
    timers.idle_end = section.checked_or_off("idle_end", timers.idle_end, not_zero);
    only(&section, "idle_end", is_sgip, "only SGIP ends a connection that has nothing to do");
    timers.login = section.checked("login", timers.login, not_zero);
    timers.connect = section.checked("connect", timers.connect, not_zero);
    section.finish();
    timers
}

pub(super) fn backoff(section: Option<Section<'_>>, default: Backoff) -> Backoff {
    let Some(mut section) = section else { return default };
    let first = section.checked("first", default.first, not_zero);
    let most = section.checked("most", default.most.max(first), |most| {
        if *most < first {
            return Err(Problem::new("this is shorter than `first`", "write a longer duration"));
        }
        Ok(())
    });
    section.finish();
    Backoff { first, most }
}

pub(super) fn slow_down(section: Option<Section<'_>>, rate: Option<u32>) -> SlowDown {
    let rate = rate.unwrap_or(u32::MAX);
    let mut slow_down = SlowDown {
        pause: Duration::from_secs(1),
        least_rate: rate.min(10),
        recovery: Duration::from_secs(30),
    };
    let Some(mut section) = section else { return slow_down };
    slow_down.pause = section.checked("pause", slow_down.pause, not_zero);
    slow_down.least_rate = section.checked("least_rate", slow_down.least_rate, between(1, rate));
    slow_down.recovery = section.checked("recovery", slow_down.recovery, not_zero);
    section.finish();
    slow_down
}
