//! What became of messages that were handed in.

use std::fmt;

use gateway::uplink::lines::{Answer, Taken};
use runtime::table::{Cell, number, table};

/// Up to so many messages each has its row; of more, those that were refused have one.
const ALL_SHOWN: u64 = 20;
/// Rows of a table.
const MOST_ROWS: usize = 100;

/// Counts answers, and keeps those that are shown.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    /// Whether they are those of a file.
    many: bool,
    new: u64,
    duplicate: u64,
    refused: u64,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    line: Option<usize>,
    answer: Answer,
}

impl Outcomes {
    pub(super) fn of_one() -> Self {
        Self::default()
    }

    pub(super) fn of_many() -> Self {
        Self { many: true, ..Self::default() }
    }

    /// `line`: of the file.
    pub(super) fn add(&mut self, line: Option<usize>, answer: Answer) {
        match answer.taken {
            Taken::New => self.new += 1,
            Taken::Duplicate { .. } => self.duplicate += 1,
            Taken::Refused { .. } => self.refused += 1,
        }
        self.rows.push(Row { line, answer });
        if self.total() > ALL_SHOWN {
            self.rows.retain(Row::is_refused);
            self.rows.truncate(MOST_ROWS);
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.new + self.duplicate + self.refused
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    fn table(&self) -> String {
        let head = ["LINE", "ID", "TAKEN", "WHY"];
        let mut table = table(if self.many { &head } else { &head[1..] });
        for Row { line, answer } in &self.rows {
            let id = answer.uaop_id.as_ref().map_or("-", |id| id.as_str());
            let (taken, why) = words(&answer.taken);
            let cells = [Cell::new(id), Cell::new(taken), Cell::new(why)];
            table.add_row(line.map(number).into_iter().chain(cells));
        }
        table.to_string()
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.rows.is_empty() {
            f.write_str(&self.table())?;
        }
        if !self.many {
            return Ok(());
        }
        let gap = if self.rows.is_empty() { "" } else { "\n\n" };
        let Self { new, duplicate, refused, .. } = self;
        write!(f, "{gap}{} messages: {new} new, {duplicate} duplicate, {refused} refused", self.total())?;
        let hidden = refused.saturating_sub(self.rows.len() as u64);
        if hidden > 0 { write!(f, " ({hidden} of them not shown)") } else { Ok(()) }
    }
}

impl Row {
    fn is_refused(&self) -> bool {
        matches!(self.answer.taken, Taken::Refused { .. })
    }
}

fn words(taken: &Taken) -> (&'static str, String) {
    match taken {
        Taken::New => ("new", String::new()),
        Taken::Duplicate { outcome: Some(outcome) } => ("duplicate", outcome.clone()),
        Taken::Duplicate { outcome: None } => ("duplicate", "not finished yet".to_owned()),
        Taken::Refused { reason, again: true } => ("REFUSED", format!("{reason}; try again later")),
        Taken::Refused { reason, again: false } => ("REFUSED", reason.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(id: &str, taken: Taken) -> Answer {
        Answer { uaop_id: id.parse().ok(), line: None, taken }
    }

    fn refused(again: bool) -> Taken {
        let reason = if again { "the queue is full" } else { "there is no account `cm-9` here" };
        Taken::Refused { reason: reason.to_owned(), again }
    }

    #[test]
    fn one_message_has_a_row() {
        let mut outcomes = Outcomes::of_one();
        outcomes.add(None, answer("m-1", Taken::New));
        insta::assert_snapshot!(outcomes);
    }

    #[test]
    fn the_messages_of_a_short_file_have_a_row_each() {
        let mut outcomes = Outcomes::of_many();
        let accepted = Taken::Duplicate { outcome: Some("accepted".to_owned()) };
        outcomes.add(Some(1), answer("m-1", Taken::New));
        outcomes.add(Some(2), answer("m-2", Taken::Duplicate { outcome: None }));
        outcomes.add(Some(3), answer("m-3", accepted));
        outcomes.add(Some(5), answer("m-4", refused(true)));
        outcomes.add(Some(6), answer("", refused(false)));
        insta::assert_snapshot!(outcomes);
    }

    #[test]
    fn of_a_long_file_only_what_was_refused_has_a_row() {
        let mut outcomes = Outcomes::of_many();
        for line in 1..=1000 {
            let taken = if line == 7 || line == 500 { refused(false) } else { Taken::New };
            outcomes.add(Some(line), answer(&format!("m-{line}"), taken));
        }
        insta::assert_snapshot!(outcomes);
    }

    #[test]
    fn rows_are_few_however_many_are_refused() {
        let mut outcomes = Outcomes::of_many();
        for line in 1..=1000 {
            outcomes.add(Some(line), answer("m", refused(true)));
        }
        let text = outcomes.to_string();
        assert_eq!(text.lines().count(), 1 + MOST_ROWS + 2);
        assert!(text.ends_with("0 new, 0 duplicate, 1000 refused (900 of them not shown)"), "{text}");
    }
}
