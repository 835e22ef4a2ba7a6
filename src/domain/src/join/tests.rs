mod matrix;
mod order;

use super::{Journey, Stage, about, answered};
use crate::event::{Attempt, Event, Happened, Outcome, ReportState};
use crate::join::About;
use crate::{Disposition, FinalState, MessageCopy, MessageText, Millis, Submission, Told, UaopId};

fn id() -> UaopId {
    "m1".parse().unwrap()
}

fn copy(at: u64, report: bool) -> MessageCopy {
    let submission = Submission {
        uaop_id: id(),
        empi_id: "bank".parse().unwrap(),
        class: "notice".parse().unwrap(),
        account: None,
        to: "13800138000".parse().unwrap(),
        extension: String::new(),
        text: MessageText("hi".to_owned()),
        report,
        priority: 0,
        not_after: None,
    };
    MessageCopy { uaop: "uaop-1a".to_owned(), site: "dc1".to_owned(), at: Millis(at), submission }
}

fn told(gateway: u8, at: u64, happened: Happened) -> Told {
    let event = Event {
        gateway: format!("gw{gateway}").parse().unwrap(),
        epoch: Millis(1),
        account: "cm".parse().unwrap(),
        at: Millis(at),
        happened,
    };
    Told { uaop: "uaop-1a".to_owned(), site: "dc1".to_owned(), carrier: "mobile".parse().unwrap(), event }
}

fn pushed(part: u8, parts: u8, sequence: u8) -> Happened {
    let push_sequence = sequence.to_string();
    Happened::Pushed { uaop_id: id(), part, parts, push_sequence, attempt: Attempt::First }
}

fn answer(part: u8, sequence: u8, disposition: Disposition) -> Happened {
    let accepted = disposition == Disposition::Accepted;
    Happened::Answered {
        uaop_id: id(),
        part,
        push_sequence: sequence.to_string(),
        resp_sequence: accepted.then(|| format!("A{sequence}")),
        code: if accepted { 0 } else { 13 },
        disposition,
    }
}

fn finished(outcome: Outcome) -> Happened {
    Happened::Finished { uaop_id: id(), outcome }
}

fn refused() -> Outcome {
    Outcome::Refused { code: Some(13), reason: "part 1 of 1 is refused".to_owned() }
}

fn reported(part: u8, state: ReportState) -> Happened {
    let word = match state {
        ReportState::Delivered => "DELIVRD",
        ReportState::Failed => "UNDELIV",
        ReportState::Waiting => "ACCEPTD",
    };
    Happened::Reported {
        resp_sequence: "A1".to_owned(),
        report_sequence: None,
        uaop_id: Some(id()),
        part: Some(part),
        to: None,
        state,
        word: word.to_owned(),
        reason: (state == ReportState::Failed).then(|| "not delivered (未送达)".to_owned()),
    }
}

#[test]
fn a_delivered_message_is_reported_once() {
    let mut journey = Journey::default();
    assert!(journey.copied(&copy(1, true)));
    assert_eq!(journey.stage(), Stage::Routed);
    assert!(journey.told(&told(1, 2, pushed(1, 1, 7)), None));
    assert_eq!(journey.stage(), Stage::Pushed);
    assert!(journey.told(&told(1, 3, answer(1, 7, Disposition::Accepted)), None));
    assert!(journey.told(&told(1, 3, finished(Outcome::Accepted)), None));
    assert_eq!((journey.stage(), journey.conclude(Millis(4))), (Stage::Answered, None));
    assert!(journey.waits() && journey.is_open());

    let delivered = told(2, 5, reported(1, ReportState::Delivered));
    assert!(journey.told(&delivered, None));
    let report = journey.conclude(Millis(6)).unwrap();
    assert_eq!(
        (report.revision, report.state, report.word.as_deref()),
        (1, FinalState::Delivered, Some("DELIVRD"))
    );
    assert_eq!((report.parts, report.answered_at, report.at), (1, Some(Millis(3)), Millis(6)));
    assert_eq!(report.gateway.unwrap().as_str(), "gw1");
    assert!(!journey.told(&delivered, None));
    assert_eq!(journey.conclude(Millis(7)), None);
    assert!(!journey.waits() && !journey.is_open());
}

#[test]
fn what_is_learnt_later_is_a_revision() {
    let mut journey = Journey::default();
    journey.copied(&copy(1, true));
    journey.told(&told(1, 2, pushed(1, 1, 7)), None);
    assert!(journey.give_up());
    let revision = |journey: &mut Journey| journey.conclude(Millis(9)).map(|r| (r.revision, r.state));
    assert_eq!(revision(&mut journey), Some((1, FinalState::Unknown)));
    assert!(!journey.give_up());
    journey.told(&told(1, 3, finished(Outcome::Uncertain)), None);
    assert_eq!(revision(&mut journey), Some((2, FinalState::Uncertain)));
    journey.told(&told(1, 4, reported(1, ReportState::Delivered)), None);
    assert_eq!(revision(&mut journey), Some((3, FinalState::Delivered)));
    assert_eq!(revision(&mut journey), None);
}

#[test]
fn a_bank_that_wants_no_report_gets_none_and_the_center_knows_all_the_same() {
    let mut journey = Journey::default();
    journey.copied(&copy(1, false));
    journey.told(&told(1, 2, pushed(1, 1, 7)), None);
    assert!(journey.is_open() && !journey.give_up());
    journey.told(&told(1, 3, answer(1, 7, Disposition::Accepted)), None);
    assert!(!journey.is_open());
    journey.told(&told(1, 4, reported(1, ReportState::Failed)), None);
    assert_eq!(journey.conclude(Millis(5)), None);
    assert_eq!(journey.report().unwrap().state, FinalState::Failed);
}

#[test]
fn an_end_that_came_before_the_copy_is_reported_with_it() {
    let mut journey = Journey::default();
    journey.told(&told(1, 4, finished(Outcome::Expired)), None);
    assert_eq!((journey.conclude(Millis(5)), journey.at()), (None, Millis(4)));
    journey.copied(&copy(1, true));
    assert_eq!(journey.conclude(Millis(6)).unwrap().state, FinalState::Expired);
    assert_eq!(journey.at(), Millis(1));
}

#[test]
fn a_carrier_that_says_not_now_for_a_day_does_not_make_a_message_grow() {
    let mut journey = Journey::default();
    journey.told(&told(1, 1, answer(1, 0, Disposition::Accepted)), None);
    for sequence in 1..=250 {
        journey.told(&told(1, 10 + u64::from(sequence), pushed(1, 1, sequence)), None);
        journey.told(&told(1, 10 + u64::from(sequence), answer(1, sequence, Disposition::SlowDown)), None);
    }
    let part = journey.parts().remove(0);
    assert_eq!((part.pushes, part.push_sequence.as_deref()), (16, Some("0")));
    assert!(!journey.told(&told(1, 11, pushed(1, 1, 1)), None));
}

#[test]
fn a_part_that_cannot_be_is_nobodys() {
    let mut journey = Journey::default();
    journey.told(&told(1, 2, pushed(0, 1, 7)), None);
    assert_eq!((journey.stage(), journey.parts()), (Stage::Routed, vec![]));
    journey.told(&told(1, 2, answer(255, 7, Disposition::Accepted)), None);
    assert_eq!((journey.stage(), journey.parts().len()), (Stage::Pushed, 255));
}

#[test]
fn a_report_is_joined_by_the_message_or_else_by_the_carriers_id() {
    let known = told(1, 1, reported(1, ReportState::Delivered));
    assert_eq!(about(&known), Some(About::Message(&id())));
    for (uaop_id, part) in [(None, None), (None, Some(1)), (Some(id()), None), (Some(id()), Some(0))] {
        let mut half = known.clone();
        if let Happened::Reported { uaop_id: i, part: p, .. } = &mut half.event.happened {
            (*i, *p) = (uaop_id, part);
        }
        assert_eq!(about(&half), Some(About::Response(&"mobile".parse().unwrap(), "A1")));
    }
    assert_eq!(about(&told(1, 1, Happened::LinkUp { connection: 1 })), None);
}

#[test]
fn only_an_accepted_answer_gives_a_part_an_id() {
    let accepted = told(1, 1, answer(2, 7, Disposition::Accepted));
    assert_eq!(answered(&accepted), Some((&id(), 2, "A7")));
    assert_eq!(answered(&told(1, 1, answer(2, 7, Disposition::Final))), None);
}

#[test]
fn a_journey_is_small_and_reads_back() {
    let mut journey = Journey::default();
    journey.told(&told(1, 2, pushed(1, 1, 7)), None);
    journey.told(&told(1, 3, answer(1, 7, Disposition::Accepted)), None);
    journey.told(&told(1, 3, finished(refused())), None);
    let json = serde_json::to_string(&journey).unwrap();
    assert_eq!(serde_json::from_str::<Journey>(&json).unwrap(), journey);
    assert_eq!(
        json,
        r#"{"parts":[{"p":[{"g":"gw1","e":1,"s":"7","c":"mobile","a":2,"r":{"a":3,"i":"A7","c":0,"d":"accepted"}}]}],"total":1,"ended":[{"g":"gw1","c":"mobile","a":3,"outcome":"refused","code":13,"reason":"part 1 of 1 is refused"}],"seen":2}"#
    );
}
