//! How many messages a second the spool carries through their whole life, with their events told and acknowledged:
//! `cargo run --release -p store --example spool_rate -- [MESSAGES] [IN_FLIGHT] [FOLDER]`.
//!
//! Each step of a message waits until the step before it is on the disk, as in the gateway: take; progress and the
//! event of the push; progress, answer, outcome and the event of the end.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use domain::event::{Attempt, Happened, Outcome};
use domain::{Disposition, Event, MessageText, Millis, Submission};
use store::spool::{Change, Consumer, Spool, SpoolSettings, Taken};

const PROGRESS: &str =
    r#"{"parts":[{"state":"pushed","sequence":"1234567890","tries":1,"at":1760000000000}]}"#;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A message goes to its next step.
enum Step {
    Taken(i64, usize),
    Pushed(i64, usize),
    Finished,
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let messages = arguments.next().map_or(Ok(200_000), |n| n.parse())?;
    let in_flight = arguments.next().map_or(Ok(2_000), |n| n.parse())?;
    let folder = arguments.next().map_or_else(default_folder, PathBuf::from);
    let settings = SpoolSettings { queue: 10_000, started: Millis(1), tuning: Default::default() };
    let (spool, _) = Spool::open(&folder, settings)?;
    let started = Instant::now();
    let uplink = {
        let spool = spool.clone();
        let events = 3 * i64::try_from(messages)?;
        thread::spawn(move || tell(&spool, events))
    };
    carry(&spool, messages, in_flight)?;
    let seconds = started.elapsed().as_secs_f64();
    uplink.join().map_err(|_| "the uplink panicked")??;
    report(&spool, messages, seconds, &folder)?;
    spool.stop();
    Ok(std::fs::remove_dir_all(folder)?)
}

fn default_folder() -> PathBuf {
    std::env::temp_dir().join(format!("spool-rate-{}", std::process::id()))
}

fn carry(spool: &Spool, messages: usize, in_flight: usize) -> Result<(), Failure> {
    let (next, steps) = channel();
    let (mut begun, mut finished) = (0, 0);
    while finished < messages {
        while begun < messages && begun - finished < in_flight {
            take(spool, begun, &next)?;
            begun += 1;
        }
        match steps.recv()? {
            Step::Taken(key, number) => {
                let progress = Change::Progress { key, progress: PROGRESS.to_owned() };
                write(spool, vec![progress, pushed(number)], &next, Step::Pushed(key, number))?;
            }
            Step::Pushed(key, number) => {
                let progress = Change::Progress { key, progress: PROGRESS.to_owned() };
                let finish = Change::Finish { key, outcome: Outcome::Accepted, at: Millis(number as u64) };
                let changes = vec![progress, answered(number), finish, ended(number)];
                write(spool, changes, &next, Step::Finished)?;
            }
            Step::Finished => {
                finished += 1;
                if finished % 1_000 == 0 {
                    // Half a million ids are remembered.
                    let older_than = Millis(finished.saturating_sub(500_000) as u64);
                    spool.forget(older_than, 1_000, |result| result.map_or_else(fail, |_| ()))?;
                }
            }
        }
    }
    Ok(())
}

/// Reads and acknowledges as an UAOP does.
fn tell(spool: &Spool, last: i64) -> Result<(), Failure> {
    let mut after = 0;
    while after < last {
        let events = spool.events(after, 2_000)?;
        match events.last() {
            Some((number, _)) => {
                after = *number;
                let all = vec![Consumer { name: "uaop".to_owned(), acknowledged: after }];
                spool.acknowledge(all, |result| result.map_or_else(fail, |_| ()))?;
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    }
    Ok(())
}

fn take(spool: &Spool, number: usize, next: &Sender<Step>) -> Result<(), Failure> {
    let next = next.clone();
    let submission = Submission {
        uaop_id: uaop_id(number),
        empi_id: "bank-1".parse().map_err(|_| "no id")?,
        class: "verification".parse().map_err(|_| "no class")?,
        account: None,
        to: "13800138000".parse().map_err(|_| "no number")?,
        extension: "12".to_owned(),
        text: MessageText("您的验证码是 123456,5 分钟内有效,请勿告诉他人。".to_owned()),
        report: true,
        priority: 5,
        not_after: Some(Millis(1_760_000_000_000)),
    };
    let done = move |result: Result<Vec<Taken>, _>| match result.as_deref() {
        Ok(&[Taken::New { key }]) => drop(next.send(Step::Taken(key, number))),
        Ok(_) | Err(_) => fail(result),
    };
    Ok(spool.take_many(vec![(submission, PROGRESS.to_owned())], Millis(number as u64), done)?)
}

fn write(spool: &Spool, changes: Vec<Change>, next: &Sender<Step>, step: Step) -> Result<(), Failure> {
    let next = next.clone();
    let done = move |result| match result {
        Ok(()) => drop(next.send(step)),
        Err(_) => fail(result),
    };
    Ok(spool.write(changes, done)?)
}

/// A measurement with a failure in it measures nothing.
fn fail(what: impl std::fmt::Debug) {
    writeln!(std::io::stderr(), "{what:?}").ok();
    std::process::exit(1);
}

fn uaop_id(number: usize) -> domain::UaopId {
    format!("019a{number:020}").parse().unwrap_or_else(|_| unreachable!("digits are a name"))
}

fn event(happened: Happened) -> Change {
    let name = || "cm-1".to_owned();
    Change::Event(Event {
        gateway: name().try_into().unwrap_or_else(|_| unreachable!("a name")),
        epoch: Millis(1_760_000_000_000),
        account: name().try_into().unwrap_or_else(|_| unreachable!("a name")),
        at: Millis(1_760_000_000_123),
        happened,
    })
}

fn pushed(number: usize) -> Change {
    event(Happened::Pushed {
        uaop_id: uaop_id(number),
        part: 1,
        parts: 1,
        push_sequence: number.to_string(),
        attempt: Attempt::First,
    })
}

fn answered(number: usize) -> Change {
    event(Happened::Answered {
        uaop_id: uaop_id(number),
        part: 1,
        push_sequence: number.to_string(),
        resp_sequence: Some(format!("{number:016x}")),
        code: 0,
        disposition: Disposition::Accepted,
    })
}

fn ended(number: usize) -> Change {
    event(Happened::Finished { uaop_id: uaop_id(number), outcome: Outcome::Accepted })
}

fn report(spool: &Spool, messages: usize, seconds: f64, folder: &Path) -> Result<(), Failure> {
    let figures = spool.figures();
    let batches = figures.batches as f64;
    let size = |name: &str| folder.join(name).metadata().map_or(0, |data| data.len() >> 20);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{messages} messages in {seconds:.1} s: {:.0} a second", messages as f64 / seconds)?;
    writeln!(out, "{} batches of {:.0} jobs", figures.batches, figures.jobs as f64 / batches)?;
    writeln!(
        out,
        "commit {:.2} ms, {:.0} % of the time",
        figures.commit_seconds_sum / batches * 1e3,
        figures.commit_seconds_sum / seconds * 1e2
    )?;
    writeln!(out, "commits by bucket {:?}", figures.commits)?;
    writeln!(out, "file {} MiB, log {} MiB", size("spool.db"), size("spool.db-wal"))?;
    Ok(())
}
