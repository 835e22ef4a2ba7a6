use std::path::Path;

use domain::text::{Limits, Preference, ReferenceWidth, SplitSettings};
use domain::{Millis, WhenUncertain};
use prometheus::Registry;
use store::spool::{Recovered, SpoolSettings};
use tokio::sync::mpsc;
use wire::cmpp::Cmpp;

use super::*;
use crate::account::inbox::Inbox;

/// What the accounts are given.
pub(crate) type Given = mpsc::UnboundedReceiver<Inbox<Cmpp>>;

/// An engine on the spool in this folder.
pub(crate) fn engine(folder: &Path, accounts: &[&str]) -> (Engine, Given, Recovered) {
    let settings = SpoolSettings { queue: 100, started: Millis(1), tuning: Default::default() };
    let (spool, recovered) = Spool::open(folder, settings).unwrap();
    let (sender, given) = mpsc::unbounded_channel();
    let entry = |name: &&str| {
        let entry = Entry { rules: rules(), giver: Giver::new::<Cmpp>(sender.clone()) };
        (name.parse().unwrap(), entry)
    };
    let engine = Engine {
        spool,
        accounts: accounts.iter().map(entry).collect(),
        classes: Classes { default: WhenUncertain::Resend, named: BTreeMap::new() },
        most: 1000,
        families: Arc::new(Families::new(&Registry::new()).unwrap()),
    };
    (engine, given, recovered)
}

pub(crate) fn submission(id: &str, account: Option<&str>) -> Submission {
    let json = serde_json::json!({
        "uaop_id": id, "empi_id": "b", "class": "c", "account": account, "to": "13800138000", "text": "hi",
    });
    serde_json::from_value(json).unwrap()
}

fn rules() -> Rules {
    Rules {
        number: "1069000001".parse().unwrap(),
        split: SplitSettings {
            preference: Preference::Ucs2,
            reference_width: ReferenceWidth::Eight,
            limits: Limits::cmpp(),
            most_parts: 3,
        },
        signature: None,
    }
}

#[tokio::test]
async fn a_message_is_the_same_whether_or_not_it_names_its_account() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, ..) = engine(folder.path(), &["cm"]);
    assert_eq!(engine.take(vec![submission("m1", None)]).await, [Verdict::New]);
    let again = engine.take(vec![submission("m1", Some("cm")), submission("m1", None)]).await;
    assert_eq!(again, [const { Verdict::Duplicate { outcome: None } }; 2]);
}

#[tokio::test]
async fn a_message_stays_with_its_account_when_the_file_has_more_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let (first, ..) = engine(folder.path(), &["cm"]);
    assert_eq!(first.take(vec![submission("m1", None)]).await, [Verdict::New]);
    drop(first);
    let (second, mut given, recovered) = engine(folder.path(), &["cm", "cu"]);
    for stored in recovered.messages {
        second.resume(stored.unwrap()).unwrap();
    }
    let Ok(Inbox::Message(message)) = given.try_recv() else { panic!("it is given to nobody") };
    assert_eq!(message.submission.account.unwrap().as_str(), "cm");
}

#[tokio::test]
async fn an_orphan_says_why_it_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, mut given, _) = engine(folder.path(), &["cm"]);
    let stored = |account, text: &str, progress: &str| {
        let mut submission = submission("m1", Some(account));
        submission.text.0 = text.to_owned();
        Stored { key: 1, submission, progress: progress.to_owned(), taken_at: Millis(1) }
    };
    let why = |stored| engine.resume(stored).unwrap_err().1;
    let gone = why(stored("cu", "hi", ""));
    assert_eq!(gone, Orphan::AccountGone(Some("cu".parse().unwrap())));
    assert_eq!(gone.to_string(), "account cu is not in the file any more");
    assert_eq!(why(stored("cm", &"长".repeat(1000), "nonsense")), Orphan::Unreadable);
    // one that can be split still may have been pushed
    engine.resume(stored("cm", "hi", "nonsense")).unwrap();
    let Ok(Inbox::Message(message)) = given.try_recv() else { panic!("it is given to nobody") };
    assert_eq!(message.delivery.next(), Some((1, domain::event::Attempt::Uncertain)));
}

#[tokio::test]
async fn a_time_that_no_pdu_can_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, ..) = engine(folder.path(), &["cm"]);
    // microseconds, say
    for not_after in [1_800_000_000_000_000, u64::MAX] {
        let mut late = submission("m1", None);
        late.not_after = Some(Millis(not_after));
        let [Verdict::Refused { reason, again: false }] = &engine.take(vec![late]).await[..] else {
            panic!("it is taken");
        };
        assert!(reason.contains("not_after"), "{reason}");
    }
}
