//! A carrier at its worst and a gateway that is killed again and again: nothing is lost.

use std::time::Duration;

use testkit::line::letters::Letters;
use testkit::line::{Ledger, Protocol, Scene};

use super::over_each_protocol;

over_each_protocol! {
    /// With `SMSLINE_STORM=100000` in the environment so many messages, and a release build, it is the whole proof:
    /// `SMSLINE_STORM=100000 cargo test --release -p testkit --test it line::storm -- --nocapture --test-threads 1`.
    nothing_is_lost
}

/// Messages, unless the environment says otherwise.
const MESSAGES: usize = 4_000;
const KILLS: usize = 5;
/// Messages handed in at once.
const BATCH: usize = 200;
/// What the run may take, for each thousand messages; and at least.
const PATIENCE: Duration = Duration::from_secs(10);
const LEAST_PATIENCE: Duration = Duration::from_secs(90);

fn nothing_is_lost(protocol: Protocol) {
    let messages = std::env::var("SMSLINE_STORM").map_or(MESSAGES, |count| count.parse().unwrap());
    let patience = (PATIENCE * u32::try_from(messages / 1000).unwrap()).max(LEAST_PATIENCE);
    let scene = Scene::new(protocol)
        .gateway("classes", "[ { name: default, uncertain: resend }, { name: verification, uncertain: mark } ]")
        .account("connections", 4)
        .account("window", 32)
        .customer("window", 32)
        .customer(
            "behaviour",
            "{ answer: \"median 2ms, p99 100ms\", report: 1ms to 50ms, report_first: 10 %, report_twice: 10 %, \
             report_elsewhere: 20 %, disconnect: { share: 0.1 % } }",
        );
    let coded = match protocol {
        Protocol::Cmpp20 | Protocol::Sgip12 => scene,
        Protocol::Cmpp30 => scene.account("coding", "gb18030").account("reference", 16),
        Protocol::Smgp30 => scene.account("reference", 16),
    };
    let mut line = coded.start().unwrap();
    let uplink = line.gateway.uplink();
    let mut ledger = Ledger::marking(&["verification"]);
    let mut letters = Letters::new().with_verifications(5);
    std::thread::scope(|scope| {
        let bank = scope.spawn(|| {
            for _ in 0..messages / BATCH {
                ledger.submit(&uplink, letters.many(BATCH)).unwrap();
            }
        });
        for kill in 1..=KILLS {
            // each message is pushed once at least, so this comes before the end
            line.feed.wait_count("pushed", kill * messages / (KILLS + 1), patience).unwrap();
            line.gateway.kill();
            line.gateway.start_again().unwrap();
        }
        bank.join().unwrap();
    });
    assert_eq!(ledger.taken(), messages / BATCH * BATCH);

    let balance = ledger.settle(&line, patience).unwrap();
    eprintln!("{}: {balance:?}", protocol.word());
    assert!(balance.uncertain_pushes > 0 && balance.uncertain > 0, "no kill has hit anything: {balance:?}");
    assert_eq!(balance.repeats, 0, "no answer was so late that a request was sent again");
    let counts = line.carrier.control().counts().unwrap();
    assert!(counts.cut > 0 && counts.reports.duplicated > 0, "the carrier was at its best: {counts:?}");
    line.gateway.stop().unwrap();
    line.carrier.stop().unwrap();
    assert_eq!(ledger.leaks(&line.gateway.log()), [""; 0]);
}
