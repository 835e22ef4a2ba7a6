//! Messages in every coding and length, each to a number of its own.

use domain::{MessageText, Submission};

/// Every text begins with one of these, so that a log that holds a text holds one of them.
pub const MARKS: [&str; 2] = ["Top secret", "绝密"];

/// The number of the first message's user.
const FIRST_NUMBER: u64 = 13_912_340_000;

/// Makes messages, one after the other.
#[derive(Clone, Debug)]
pub struct Letters {
    made: u64,
    /// Every so manieth message is of the class `verification`; the others are `notice`s.
    verification: u64,
}

impl Letters {
    /// Of each ten, seven are short, as in life; the others have two to four parts, and characters of every width.
    #[must_use]
    pub fn new() -> Self {
        Self { made: 0, verification: u64::MAX }
    }

    /// Every `every`th message is of the class `verification`.
    #[must_use]
    pub fn with_verifications(self, every: u64) -> Self {
        Self { verification: every, ..self }
    }

    /// The next message.
    #[must_use = "it is never made again"]
    pub fn one(&mut self) -> Submission {
        let nth = self.made;
        self.with_text(&text(nth))
    }

    /// The next message, with a text of the test's own.
    #[must_use = "it is never made again"]
    pub fn with_text(&mut self, text: &str) -> Submission {
        let nth = self.made;
        self.made += 1;
        let class = if nth % self.verification == self.verification - 1 { "verification" } else { "notice" };
        let name = |text: &str| text.parse().map_err(|error| format!("{text}: {error}"));
        let parsed = (name(class), format!("m-{nth:07}").parse(), "empi-1".parse());
        let ((Ok(class), Ok(uaop_id), Ok(empi_id)), Ok(to)) =
            (parsed, (FIRST_NUMBER + nth).to_string().parse())
        else {
            unreachable!("the kit's own names are names")
        };
        Submission {
            uaop_id,
            empi_id,
            class,
            account: None,
            to,
            extension: String::new(),
            text: MessageText(text.to_owned()),
            report: true,
            priority: 0,
            not_after: None,
        }
    }

    /// So many messages.
    #[must_use = "they are never made again"]
    pub fn many(&mut self, count: usize) -> Vec<Submission> {
        (0..count).map(|_| self.one()).collect()
    }
}

impl Default for Letters {
    fn default() -> Self {
        Self::new()
    }
}

fn text(nth: u64) -> String {
    let [ascii, chinese] = MARKS;
    match nth % 10 {
        0 | 2 | 4 => format!("{ascii}: your code is {nth:06}"),
        1 | 3 | 6 => format!("{chinese}：您的验证码为{nth:06}，请勿告诉他人。"),
        // in UCS2 a pair, in GB18030 four bytes
        5 => format!("{chinese}：您尾号{nth:04}的卡收入😀𠀀{}元", nth * 7),
        7 => format!("{ascii}: account {nth:06} {}", "pays and is paid; ".repeat(20)),
        8 => format!("{chinese}：{nth:06}{}", "本行定于今晚进行系统升级，".repeat(12)),
        // not in GB18030
        _ => format!("{chinese}：{nth:06}\u{E5E5}{}", "余额😀".repeat(30)),
    }
}
