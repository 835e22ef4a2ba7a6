//! What is joined.

use domain::event::{Attempt, Outcome, ReportState};
use domain::{
    Disposition, Event, Happened, MessageCopy, MessageText, Millis, Number, Party, Submission, Told, UaopId,
    UserMessage,
};
use store::center::Fact;

/// 2025-10-09 08:53:20 UTC.
pub const NOW: u64 = 1_760_000_000_000;

pub fn at(milliseconds: u64) -> Millis {
    Millis(NOW + milliseconds)
}

pub fn id(number: u64) -> UaopId {
    format!("m-{number}").parse().unwrap()
}

pub fn number(number: u64) -> Number {
    format!("138{number:08}").parse().unwrap()
}

pub fn submission(number_of: u64) -> Submission {
    Submission {
        uaop_id: id(number_of),
        empi_id: "bank-1".parse().unwrap(),
        class: "notice".parse().unwrap(),
        account: None,
        to: number(number_of),
        extension: String::new(),
        text: MessageText("您的验证码是 123456。".to_owned()),
        report: true,
        priority: 5,
        not_after: None,
    }
}

pub fn copy_of(submission: Submission, when: u64) -> Fact {
    Fact::Copy(MessageCopy { uaop: "uaop-1a".to_owned(), site: "dc1".to_owned(), at: at(when), submission })
}

/// The copy of the message that is told of at `number`, `number` milliseconds after [`NOW`].
pub fn copy(number: u64) -> Fact {
    copy_of(submission(number), number)
}

pub fn told(when: u64, happened: Happened) -> Fact {
    Fact::Told(Told {
        uaop: "uaop-1a".to_owned(),
        site: "dc1".to_owned(),
        carrier: "mobile".parse().unwrap(),
        event: Event {
            gateway: "cm-1".parse().unwrap(),
            epoch: Millis(NOW),
            account: "main".parse().unwrap(),
            at: at(when),
            happened,
        },
    })
}

pub fn pushed(number: u64, part: u8, parts: u8) -> Fact {
    let push_sequence = format!("{number}{part}");
    let attempt = Attempt::First;
    told(number + 1, Happened::Pushed { uaop_id: id(number), part, parts, push_sequence, attempt })
}

/// The id that the carrier gives a part.
pub fn response(number: u64, part: u8) -> String {
    format!("A{number:08X}{part:02X}")
}

pub fn accepted(number: u64, part: u8) -> Fact {
    told(
        number + 2,
        Happened::Answered {
            uaop_id: id(number),
            part,
            push_sequence: format!("{number}{part}"),
            resp_sequence: Some(response(number, part)),
            code: 0,
            disposition: Disposition::Accepted,
        },
    )
}

pub fn finished(number: u64, outcome: Outcome) -> Fact {
    told(number + 3, Happened::Finished { uaop_id: id(number), outcome })
}

pub fn refused() -> Outcome {
    Outcome::Refused { code: Some(13), reason: "part 1 of 1 is refused".to_owned() }
}

/// By a gateway that knows the carrier's id only.
pub fn reported(number: u64, part: u8, state: ReportState) -> Fact {
    let word = match state {
        ReportState::Delivered => "DELIVRD",
        ReportState::Failed => "UNDELIV",
        ReportState::Waiting => "ACCEPTD",
    };
    told(
        number + 4,
        Happened::Reported {
            resp_sequence: response(number, part),
            report_sequence: None,
            uaop_id: None,
            part: None,
            to: None,
            state,
            word: word.to_owned(),
            reason: None,
        },
    )
}

/// All that is told of a message of one part that is delivered.
pub fn delivered(number: u64) -> Vec<Fact> {
    vec![
        copy(number),
        pushed(number, 1, 1),
        accepted(number, 1),
        finished(number, Outcome::Accepted),
        reported(number, 1, ReportState::Delivered),
    ]
}

pub fn user_message(number_of: u64) -> UserMessage {
    UserMessage {
        mo_id: format!("mobile:{number_of}"),
        empi_id: "bank-1".parse().unwrap(),
        from: Party(number(number_of).digits().to_owned()),
        to: Party("106900001".to_owned()),
        text: MessageText("TD".to_owned()),
        part: None,
        at: at(number_of),
    }
}
