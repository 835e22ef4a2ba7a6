mod matrix;
mod properties;

use super::{Answered, Delivery, LifecycleError, Part, WhenUncertain};
use crate::Disposition;
use crate::event::{Attempt, Outcome};

/// `disposition` as the answer to `push_sequence`, at most two times "later".
fn answer(
    delivery: &mut Delivery,
    part: u8,
    push_sequence: &str,
    disposition: Disposition,
) -> Result<Answered, LifecycleError> {
    let id = (disposition == Disposition::Accepted).then(|| format!("id-{push_sequence}"));
    let code = if disposition == Disposition::Accepted { 0 } else { 9 };
    delivery.answered(part, push_sequence, code, disposition, id, 2)
}

#[test]
fn parts_go_out_in_their_order_and_the_last_acceptance_ends_the_message() {
    let mut delivery = Delivery::new(2, WhenUncertain::Mark);
    assert_eq!(delivery.next(), Some((1, Attempt::First)));
    assert_eq!(delivery.pushed(1, "a"), Ok(Attempt::First));
    assert_eq!(delivery.next(), Some((2, Attempt::First)));
    assert_eq!(delivery.pushed(2, "b"), Ok(Attempt::First));
    assert_eq!(delivery.next(), None);
    assert_eq!(answer(&mut delivery, 2, "b", Disposition::Accepted), Ok(Answered::Accepted));
    assert_eq!(delivery.outcome(), None);
    assert_eq!(answer(&mut delivery, 1, "a", Disposition::Accepted), Ok(Answered::Accepted));
    assert_eq!(delivery.outcome(), Some(Outcome::Accepted));
}

#[test]
fn a_refused_part_keeps_the_others_back_and_the_pushed_one_is_waited_for() {
    let mut delivery = Delivery::new(3, WhenUncertain::Resend);
    delivery.pushed(1, "a").unwrap();
    delivery.pushed(2, "b").unwrap();
    assert_eq!(answer(&mut delivery, 1, "a", Disposition::Final), Ok(Answered::Refused));
    assert_eq!(delivery.next(), None);
    assert_eq!(delivery.pushed(3, "c"), Err(LifecycleError::Over));
    assert_eq!(delivery.outcome(), None);
    delivery.lost(2).unwrap();
    let reason = "part 1 of 3 is refused".to_owned();
    assert_eq!(delivery.outcome(), Some(Outcome::Refused { code: Some(9), reason }));
}

#[test]
fn the_second_later_of_two_refuses_and_slow_down_never_does() {
    let mut delivery = Delivery::new(1, WhenUncertain::Mark);
    for _ in 0..70_000 {
        delivery.pushed(1, "s").unwrap();
        assert_eq!(answer(&mut delivery, 1, "s", Disposition::SlowDown), Ok(Answered::Again));
    }
    delivery.pushed(1, "a").unwrap();
    assert_eq!(answer(&mut delivery, 1, "a", Disposition::Later), Ok(Answered::Again));
    assert_eq!(delivery.pushed(1, "b"), Ok(Attempt::Retry));
    assert_eq!(answer(&mut delivery, 1, "b", Disposition::Later), Ok(Answered::Refused));
}

#[test]
fn a_part_that_was_lost_once_is_pushed_as_uncertain_even_after_not_now() {
    let mut delivery = Delivery::new(1, WhenUncertain::Resend);
    delivery.pushed(1, "a").unwrap();
    assert_eq!(delivery.recover(), 1);
    assert_eq!(delivery.pushed(1, "b"), Ok(Attempt::Uncertain));
    assert_eq!(answer(&mut delivery, 1, "b", Disposition::SlowDown), Ok(Answered::Again));
    assert_eq!(delivery.next(), Some((1, Attempt::Uncertain)));
}

#[test]
fn a_late_acceptance_takes_the_doubt_away() {
    let mut resent = Delivery::new(1, WhenUncertain::Resend);
    resent.pushed(1, "a").unwrap();
    resent.lost(1).unwrap();
    resent.pushed(1, "b").unwrap();
    assert_eq!(answer(&mut resent, 1, "a", Disposition::Accepted), Ok(Answered::Accepted));
    assert_eq!(answer(&mut resent, 1, "b", Disposition::Final), Ok(Answered::Late));
    assert_eq!(resent.parts(), [Part::Accepted { resp_sequence: Some("id-a".to_owned()) }]);

    let mut marked = Delivery::new(1, WhenUncertain::Mark);
    marked.pushed(1, "a").unwrap();
    marked.lost(1).unwrap();
    assert_eq!(marked.outcome(), Some(Outcome::Uncertain));
    assert_eq!(answer(&mut marked, 1, "a", Disposition::Accepted), Ok(Answered::Accepted));
    assert_eq!(marked.outcome(), Some(Outcome::Accepted));
}

#[test]
fn a_message_whose_time_is_over_says_whether_the_carrier_may_have_it() {
    let mut never_sent = Delivery::new(1, WhenUncertain::Resend);
    never_sent.expire();
    assert_eq!(never_sent.outcome(), Some(Outcome::Expired));

    let mut lost = Delivery::new(1, WhenUncertain::Resend);
    lost.pushed(1, "a").unwrap();
    lost.expire();
    assert_eq!(lost.outcome(), None);
    lost.lost(1).unwrap();
    assert_eq!(lost.outcome(), Some(Outcome::Uncertain));
}

#[test]
fn it_is_stored_small_and_read_back_checked() {
    let mut delivery = Delivery::new(3, WhenUncertain::Resend);
    delivery.pushed(1, "7").unwrap();
    delivery.pushed(2, "8").unwrap();
    answer(&mut delivery, 2, "8", Disposition::Later).unwrap();
    let json = serde_json::to_string(&delivery).unwrap();
    let expected = concat!(
        r#"{"parts":[{"pushed":{"push_sequence":"7"}},{"waiting":{"attempt":"retry","tries":1}},{"waiting":{}}],"#,
        r#""policy":"resend"}"#,
    );
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_str::<Delivery>(&json).unwrap(), delivery);
    assert!(serde_json::from_str::<Delivery>(r#"{"parts":[],"policy":"mark"}"#).is_err());
}
