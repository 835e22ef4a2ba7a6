use std::path::Path;

use domain::text::{Limits, Preference, ReferenceWidth, SplitSettings};
use domain::{Event, Happened, Millis};
use jiff::tz::TimeZone;
use prometheus::Registry;
use store::spool::SpoolSettings;
use wire::cmpp::Cmpp;
use wire::exchange::Incoming;

use super::*;
use crate::account::core::Settings;
use crate::account::level::Board;
use crate::account::lines::Lines;
use crate::config::{Backoff, Hours, SlowDown};
use crate::connection::{News, orders};
use crate::metrics::{AccountMetrics, Families};

const LIMIT: Duration = Duration::from_secs(20);

/// An account with one connection, of which the test has the other ends.
struct Scene {
    task: Task<Cmpp>,
    inbox: mpsc::UnboundedSender<Inbox<Cmpp>>,
    news: mpsc::Sender<Report>,
    orders: mpsc::Receiver<Order<Cmpp>>,
    spool: Spool,
}

fn scene(folder: &Path) -> Scene {
    let settings = SpoolSettings { queue: 100, started: Millis(1), tuning: Default::default() };
    let (spool, _) = Spool::open(folder, settings).unwrap();
    let account: domain::Account = "cm".parse().unwrap();
    let clock = Clock::new(TimeZone::UTC);
    let (sender, orders) = orders(16);
    let (news, reports) = mpsc::channel(64);
    let inbox = mpsc::unbounded_channel();
    let second = Duration::from_secs(1);
    let settings = Settings {
        gateway: "gw".parse().unwrap(),
        epoch: Millis(1),
        account: account.clone(),
        rate: None,
        slow_down: SlowDown { pause: second, least_rate: 1, recovery: second },
        hours: Hours::default(),
        retry: Backoff { first: second, most: second },
    };
    let mut lines = Lines::default();
    let connection = lines.add(Some(16));
    let families = Arc::new(Families::new(&Registry::new()).unwrap());
    let parts = Parts {
        core: Core::new(settings, lines, clock.now()),
        mos: Mos::new(account.clone(), second, Arc::default()),
        rules: Rules {
            number: "1069".parse().unwrap(),
            split: SplitSettings {
                preference: Preference::Ucs2,
                reference_width: ReferenceWidth::Eight,
                limits: Limits::cmpp(),
                most_parts: 1,
            },
            signature: None,
        },
        facts: Facts {
            metrics: AccountMetrics::new(&families, &account),
            board: Board::new(account.clone(), "cmpp-2.0"),
            account,
            access: false,
        },
        clock,
        spool: spool.clone(),
        numbers: Arc::new(Numbers::starting_at(1)),
        node: 0,
        inbox: (inbox.0.clone(), inbox.1),
        news: reports,
        events: Arc::default(),
        connections: BTreeMap::from([(connection, sender)]),
    };
    Scene { task: Task::new(parts), inbox: inbox.0, news, orders, spool }
}

#[tokio::test]
async fn what_the_carrier_brings_until_its_connection_has_logged_out_is_written_and_answered() {
    let folder = tempfile::tempdir().unwrap();
    let Scene { task, inbox, news, mut orders, spool } = scene(folder.path());
    let report = |news| Report { connection: 0, news };
    let connection = async {
        news.send(report(News::Up { login: 1 })).await.unwrap();
        inbox.send(Inbox::Stop(LIMIT)).unwrap();
        match orders.recv().await {
            Some(Order::Stop { patience }) => assert!(patience > LIMIT / 2, "{patience:?}"),
            other => panic!("{other:?}"),
        }
        let user = "13800138000".parse().unwrap();
        let incoming = Incoming::UserState { user, condition: 1 };
        news.send(report(News::Incoming { ticket: 7, incoming })).await.unwrap();
        match orders.recv().await {
            Some(Order::DeliverAnswer { ticket: 7, code: 0 }) => {}
            other => panic!("{other:?}"),
        }
        let down = News::Down { reason: "stopped".to_owned(), unanswered: Vec::new() };
        news.send(report(down)).await.unwrap();
        drop(news);
    };
    let both = async { tokio::join!(task.run(), connection) };
    tokio::time::timeout(LIMIT / 2, both).await.expect("it does not wait for its patience to be over");
    let told = spool.events(0, 10).unwrap().into_iter();
    let told: Vec<Happened> =
        told.map(|(_, event)| serde_json::from_slice::<Event>(&event).unwrap().happened).collect();
    let [Happened::LinkUp { .. }, Happened::UserState { condition: 1, .. }, Happened::LinkDown { .. }] =
        &told[..]
    else {
        panic!("{told:?}");
    };
}
