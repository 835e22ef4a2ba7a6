//! A disk that is full.

use std::fs::{File, remove_file};
use std::io::Write;

use testkit::line::letters::Letters;
use testkit::line::protocol::ACCESS_NUMBER;
use testkit::line::uplink::Verdict;
use testkit::line::{Ledger, Protocol, Scene};
use testkit::wait;

use super::SOON;

#[test]
fn a_full_disk_takes_no_more_loses_nothing_and_goes_on_when_there_is_room() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: a small disk needs root, or a user namespace (tests/runner)");
        return;
    }
    let mut line = Scene::new(Protocol::Cmpp30).start_on_small_disk(16 << 20).unwrap();
    let uplink = line.gateway.uplink();
    let (mut ledger, mut letters) = (Ledger::new(), Letters::new());
    ledger.submit(&uplink, letters.many(100)).unwrap();
    ledger.settle(&line, SOON).unwrap();

    let ballast = line.gateway.spool().join("ballast");
    let mut file = File::create(&ballast).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);
    let mut refused = Vec::new();
    wait::until("a refusal", SOON, || {
        let batch = letters.many(200);
        // what fits into the log of the store still does
        match uplink.submit(&batch).unwrap() {
            answers if answers.iter().all(|answer| answer.taken == Verdict::New) => {
                ledger.submit(&uplink, batch).unwrap();
                None
            }
            answers => {
                assert!(answers.iter().all(|answer| answer.again == Some(true)), "{answers:?}");
                refused = batch;
                Some(())
            }
        }
    })
    .unwrap();
    line.gateway.wait_metric("gateway_spool_failures_total", &[], SOON, |count| count > 0.0).unwrap();
    // a user's message is not acknowledged to the carrier before it is kept
    line.carrier.control().mo("13712345678", ACCESS_NUMBER, "TD").unwrap();
    let unready = || (line.gateway.get("/readyz").ok()?.status == 503).then_some(());
    wait::until("not to be ready", SOON, unready).unwrap();
    assert_eq!(line.feed.count("mo"), 0);

    remove_file(&ballast).unwrap();
    ledger.submit(&uplink, refused).unwrap();
    let balance = ledger.settle(&line, SOON).unwrap();
    assert_eq!(balance.accepted, ledger.taken());
    line.feed.wait_count("mo", 1, SOON).unwrap();
    line.gateway.wait_ready().unwrap();
}
