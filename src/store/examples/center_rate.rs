//! How many facts a second the center joins, and how long a query takes, with many messages stored:
//! `cargo run --release -p store --example center_rate -- [MESSAGES] [STORED] [FOLDER]`.
//!
//! Each message is copied once; its push, its answer, its outcome and its report are told by two UAOPs each, the report
//! by the carrier's id only. A batch has what is told of several messages at the same time.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::event::{Attempt, Outcome, ReportState};
use domain::{Disposition, Event, Happened, MessageCopy, MessageText, Millis, Submission, Told, UaopId};
use store::center::{CenterStore, Fact, Wanted};
use store::{Place, open_center};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Messages that a batch begins.
const GROUP: u64 = 200;
const BEGIN: u64 = 1_760_000_000_000;
const QUERIES: u64 = 1_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let messages: u64 = arguments.next().map_or(Ok(100_000), |n| n.parse())?;
    let stored: u64 = arguments.next().map_or(Ok(0), |n| n.parse())?;
    let folder = arguments.next().map_or_else(default_folder, PathBuf::from);
    let place = Place::Sqlite { folder: folder.clone() };
    let open = || open_center(&place, jiff::tz::TimeZone::UTC);
    let store = open().await?;
    for facts in [facts(0, Step::Copied), facts(0, Step::Sent), facts(0, Step::Reported)] {
        store.join(facts, Millis(BEGIN)).await?;
    }
    drop(store);
    let began = Instant::now();
    preload(&folder.join("center.db"), stored)?;
    say(&format!("{stored} messages stored in {:.1} s", began.elapsed().as_secs_f64()))?;

    let store = open().await?;
    let (began, cpu) = (Instant::now(), cpu()?);
    let count = run(&*store, stored + 1, messages).await?;
    let (wall, cpu) = (began.elapsed().as_secs_f64(), self::cpu()? - cpu);
    let (facts, busy) = (count as f64, cpu.as_secs_f64());
    say(&format!("{count} facts in {wall:.1} s: {:.0} a second", facts / wall))?;
    say(&format!("{busy:.1} s of one core: {:.0} a second of it", facts / busy))?;
    queries(&*store, stored.max(1)).await?;
    let size = folder.join("center.db").metadata()?.len() >> 20;
    say(&format!("{:?}, file {size} MiB", store.counts().await?))?;
    drop(store);
    Ok(std::fs::remove_dir_all(folder)?)
}

fn default_folder() -> PathBuf {
    std::env::temp_dir().join(format!("center-rate-{}", std::process::id()))
}

/// Copies of the one message that is there, without its indexes, which are made in one go afterwards.
fn preload(file: &Path, stored: u64) -> Result<(), Failure> {
    let connection = rusqlite::Connection::open(file)?;
    let sql = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'messages'";
    let mut read = connection.prepare(sql)?;
    let indexes: Vec<(String, String)> =
        read.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    drop(read);
    connection.execute_batch("PRAGMA synchronous = OFF; BEGIN")?;
    for (name, _) in &indexes {
        connection.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    let (uaop_id, journey): (String, String) =
        connection.query_row("SELECT uaop_id, journey FROM messages LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let mut message = connection.prepare(
        "INSERT INTO messages SELECT ?1, ?2, at + ?1, ?3, empi, carrier, stage, NULL, ?4 FROM messages LIMIT 1",
    )?;
    let mut response = connection.prepare("INSERT INTO responses VALUES ('mobile', ?1, ?2, 1)")?;
    let last: i64 = connection.query_row("SELECT last_key FROM marks", [], |row| row.get(0))?;
    for number in 1..=stored {
        let key = last + i64::try_from(number)?;
        let id = id(number);
        message.execute((key, id.as_str(), self::number(number), journey.replace(&uaop_id, id.as_str())))?;
        response.execute((resp_sequence(number), key))?;
    }
    connection.execute(
        "UPDATE marks SET last_key = last_key + ?1, messages = messages + ?1",
        [i64::try_from(stored)?],
    )?;
    for (_, sql) in indexes {
        connection.execute_batch(&sql)?;
    }
    Ok(connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?)
}

/// How many facts.
async fn run(store: &dyn CenterStore, first: u64, messages: u64) -> Result<u64, Failure> {
    let (mut count, groups) = (0, messages / GROUP);
    let group = |which: u64| first + which * GROUP..first + (which + 1) * GROUP;
    for which in 0..groups + 3 {
        let mut batch = Vec::new();
        for (back, step, times) in [(0, Step::Copied, 1), (1, Step::Sent, 2), (3, Step::Reported, 2)] {
            let Some(then) = which.checked_sub(back).filter(|then| *then < groups) else { continue };
            for number in group(then) {
                (0..times).for_each(|_| batch.extend(facts(number, step)));
            }
        }
        count += batch.len() as u64;
        store.join(batch, Millis(BEGIN + which)).await?;
        let places = store.outbox(10_000).await?.into_iter().map(|(place, _)| place).collect();
        store.published(places).await?;
    }
    Ok(count)
}

async fn queries(store: &dyn CenterStore, stored: u64) -> Result<(), Failure> {
    let mut took: [Vec<Duration>; 4] = Default::default();
    for query in 0..QUERIES {
        let one = mixed(query) % stored;
        let page = Wanted { most: 50, ..Wanted::default() };
        let number = Wanted { to: Some(number(one).parse()?), ..page.clone() };
        let until = Some(Millis(BEGIN + one));
        let empi = Wanted { empi: Some("bank-1".parse()?), until, ..page.clone() };
        let began = Instant::now();
        if store.message(&id(one)).await?.is_none() {
            return Err("a stored message is not found".into());
        }
        took[0].push(began.elapsed());
        for (place, wanted) in [number, empi, Wanted { until, ..page }].iter().enumerate() {
            let began = Instant::now();
            store.messages(wanted).await?;
            took[place + 1].push(began.elapsed());
        }
    }
    for (name, mut took) in ["by id", "by number", "by EMPI and time", "by time"].into_iter().zip(took) {
        took.sort();
        let part = |part: usize| took[(took.len() - 1) * part / 100].as_secs_f64() * 1e3;
        say(&format!("{name}: p50 {:.2} ms, p99 {:.2} ms", part(50), part(99)))?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Step {
    Copied,
    Sent,
    Reported,
}

fn facts(number: u64, step: Step) -> Vec<Fact> {
    let (uaop_id, sequence) = (id(number), number.to_string());
    match step {
        Step::Copied => vec![copy(number)],
        Step::Sent => vec![
            told(Happened::Pushed {
                uaop_id: uaop_id.clone(),
                part: 1,
                parts: 1,
                push_sequence: sequence.clone(),
                attempt: Attempt::First,
            }),
            told(Happened::Answered {
                uaop_id: uaop_id.clone(),
                part: 1,
                push_sequence: sequence,
                resp_sequence: Some(resp_sequence(number)),
                code: 0,
                disposition: Disposition::Accepted,
            }),
            told(Happened::Finished { uaop_id, outcome: Outcome::Accepted }),
        ],
        Step::Reported => vec![told(Happened::Reported {
            resp_sequence: resp_sequence(number),
            report_sequence: None,
            uaop_id: None,
            part: None,
            to: None,
            state: ReportState::Delivered,
            word: "DELIVRD".to_owned(),
            reason: None,
        })],
    }
}

fn copy(number: u64) -> Fact {
    let submission = Submission {
        uaop_id: id(number),
        empi_id: name("bank-1"),
        class: name("verification"),
        account: None,
        to: name(&self::number(number)),
        extension: "12".to_owned(),
        text: MessageText("您的验证码是 123456,5 分钟内有效,请勿告诉他人。".to_owned()),
        report: true,
        priority: 5,
        not_after: Some(Millis(BEGIN + 600_000)),
    };
    let at = Millis(BEGIN + number);
    Fact::Copy(MessageCopy { uaop: "uaop-1a".to_owned(), site: "dc1".to_owned(), at, submission })
}

fn told(happened: Happened) -> Fact {
    let (at, epoch) = (Millis(BEGIN + 123), Millis(BEGIN));
    let event = Event { gateway: name("cm-1"), epoch, account: name("main"), at, happened };
    let (uaop, site) = ("uaop-1a".to_owned(), "dc1".to_owned());
    Fact::Told(Told { uaop, site, carrier: name("mobile"), event })
}

fn name<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| unreachable!("a name"))
}

/// As long as those of an EMPI, and like those in no order.
fn id(number: u64) -> UaopId {
    name(&format!("{:016x}{:010}", mixed(number), number))
}

fn number(number: u64) -> String {
    format!("13{:09}", mixed(number) % 1_000_000_000)
}

fn resp_sequence(number: u64) -> String {
    format!("{number:016X}")
}

/// splitmix64
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What the process has computed so far, by the kernel's count of 1/100 seconds.
fn cpu() -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(str::parse::<u64>).sum::<Result<_, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}

fn say(line: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
