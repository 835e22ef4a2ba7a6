//! `lb timeline`.

use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::LB;
use crate::admin::api::Which;
use crate::admin::client::{Client, ClientError};
use crate::control::Entry;
use crate::vrrp::Kind;

/// How often it is looked for new entries.
const LOOK: Duration = Duration::from_millis(200);
/// Subjects are as long as this, when it is not known which will come.
const SUBJECT: usize = 20;

/// What to show, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub json: bool,
    pub last: Option<usize>,
    pub since: Option<Duration>,
    pub follow: bool,
}

pub(super) async fn timeline(client: Client, wanted: Wanted) -> anyhow::Result<()> {
    // one at least, to know what is newer
    let last = wanted.last.map(|last| last.max(1));
    let mut entries = client.timeline(Which { after: None, last }).await?;
    let mut newest = entries.last().map(|entry| entry.sequence);
    // by the daemon's own time: the clock may have been set
    let from = match wanted.since {
        Some(since) => client.status().await?.uptime_seconds - since.as_secs_f64(),
        None => 0.0,
    };
    choose(&mut entries, wanted.last, from);
    in_order(&mut entries);
    let printed = match (wanted.json, wanted.follow) {
        (true, false) => print(&serde_json::to_string_pretty(&entries)?),
        (true, true) => print(&json_lines(&entries)?),
        (false, _) => print(&text(&entries, &TimeZone::system())),
    };
    if printed.is_err() || !wanted.follow {
        // a reader that has gone away ends it quietly
        return Ok(());
    }
    let mut before = entries.pop();
    let mut lost = false;
    loop {
        tokio::time::sleep(LOOK).await;
        let mut entries = match client.timeline(Which { after: newest, last: None }).await {
            Ok(entries) => entries,
            Err(error @ (ClientError::Unreachable(..) | ClientError::Silent)) => {
                if !std::mem::replace(&mut lost, true) {
                    LB.complain(&error);
                }
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        lost = false;
        newest = entries.last().map(|entry| entry.sequence).or(newest);
        in_order(&mut entries);
        let text = if wanted.json {
            json_lines(&entries)?
        } else {
            lines(before.as_ref(), &entries, SUBJECT, &TimeZone::system())
        };
        before = entries.pop().or(before);
        if print(&text).is_err() {
            return Ok(());
        }
    }
}

/// Leaves the last so many, none from before `from`, in the daemon's seconds.
fn choose(entries: &mut Vec<Entry>, last: Option<usize>, from: f64) {
    let surplus = last.map_or(0, |last| entries.len().saturating_sub(last));
    entries.drain(..surplus);
    entries.retain(|entry| entry.monotonic_seconds >= from);
}

/// Threads tell of what they did a little later than it happened.
fn in_order(entries: &mut [Entry]) {
    entries.sort_by(|a, b| a.monotonic_seconds.total_cmp(&b.monotonic_seconds));
}

/// One line for each entry.
pub(super) fn text(entries: &[Entry], zone: &TimeZone) -> String {
    let width = entries.iter().map(|entry| entry.subject.chars().count()).max().unwrap_or(0);
    lines(None, entries, width, zone)
}

fn lines(before: Option<&Entry>, entries: &[Entry], width: usize, zone: &TimeZone) -> String {
    let befores = std::iter::once(before).chain(entries.iter().map(Some));
    let lines = befores.zip(entries).map(|(before, entry)| line(before, entry, width, zone));
    lines.collect::<Vec<_>>().join("\n")
}

fn line(before: Option<&Entry>, entry: &Entry, width: usize, zone: &TimeZone) -> String {
    // an f64 of this magnitude is good to a fraction of a microsecond
    let time =
        Timestamp::from_millisecond((entry.time * 1e3).round() as i64).unwrap_or(Timestamp::UNIX_EPOCH);
    let time = time.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f");
    // the first one, and the first one of another run
    let before = before.filter(|before| before.monotonic_seconds <= entry.monotonic_seconds);
    let since = before.map_or_else(String::new, |before| {
        format!("+{:.1} ms", (entry.monotonic_seconds - before.monotonic_seconds) * 1e3)
    });
    let plain = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let (kind, subject, text) = (word(entry.kind), plain(&entry.subject), plain(&entry.text));
    format!("{time} {since:>14}  {kind:<12}  {subject:<width$}  {text}")
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::State => "state",
        Kind::Election => "election",
        Kind::Adverts => "adverts",
        Kind::Addresses => "addresses",
        Kind::Announcement => "announcement",
        Kind::Priority => "priority",
        Kind::Link => "link",
        Kind::Guard => "guard",
        Kind::Command => "command",
        Kind::Health => "health",
        Kind::Config => "config",
        Kind::Notification => "notification",
        Kind::Daemon => "daemon",
    }
}

fn json_lines(entries: &[Entry]) -> serde_json::Result<String> {
    let lines: Vec<String> = entries.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    Ok(lines.join("\n"))
}

fn print(text: &str) -> io::Result<()> {
    if text.is_empty() { Ok(()) } else { writeln!(io::stdout(), "{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sequence: u64, seconds: f64, kind: Kind, subject: &str, text: &str) -> Entry {
        Entry {
            sequence,
            time: 1_790_000_000.0 + seconds,
            monotonic_seconds: seconds,
            kind,
            subject: subject.to_owned(),
            text: text.to_owned(),
        }
    }

    fn some() -> Vec<Entry> {
        vec![
            entry(0, 0.0004, Kind::Daemon, "lb", "started: version 1.2.3, node lb-a, /etc/lb/lb.yaml"),
            entry(1, 12.5, Kind::Health, "empi/empi-a", "DOWN: check: exit code 1: line\none"),
            entry(3, 12.5021, Kind::State, "bank-vip", "Backup: released by the operator"),
            entry(2, 12.5019, Kind::Announcement, "bank-vip", "5 gratuitous ARP"),
            entry(4, 90_000.0, Kind::Config, "lb", "applied; nothing changed"),
        ]
    }

    #[test]
    fn one_line_for_each_entry_by_time() {
        let mut entries = some();
        in_order(&mut entries);
        insta::assert_snapshot!(text(&entries, &TimeZone::UTC));
    }

    #[test]
    fn times_are_local_and_deltas_go_on() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        let entries = some();
        let one = lines(entries.first(), &entries[1..2], 4, &zone);
        assert!(one.starts_with("2026-09-21 22:13:32.500    +12499.6 ms  health "), "{one}");
        let restarted = lines(entries.last(), &entries[..1], 4, &zone);
        assert!(restarted.starts_with("2026-09-21 22:13:20.000                 daemon "), "{restarted}");
    }

    #[test]
    fn what_is_asked_for() {
        for (last, from, expected) in [
            (None, 0.0, &[0, 1, 3, 2, 4][..]),
            (Some(2), 0.0, &[2, 4]),
            (Some(0), 0.0, &[]),
            (Some(9), 12.5020, &[3, 4]),
            (Some(2), 12.5020, &[4]),
            (None, 100_000.0, &[]),
        ] {
            let mut entries = some();
            choose(&mut entries, last, from);
            let numbers: Vec<u64> = entries.iter().map(|entry| entry.sequence).collect();
            assert_eq!(numbers, expected, "last {last:?}, from {from}");
        }
    }

    #[test]
    fn json_has_one_object_a_line() {
        let text = json_lines(&some()).unwrap();
        let entries: Vec<Entry> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(entries, some());
        assert_eq!(json_lines(&[]).unwrap(), "");
    }
}
