//! Statements that both engines understand. Parameters are `$1`, `$2`, … in the order in which they appear first.

use std::borrow::Cow;

use domain::Number;

use super::value::Value;
use super::{Page, Wanted};
use crate::row::limit;

#[derive(Clone, Debug)]
pub(super) struct Query {
    pub sql: Cow<'static, str>,
    pub values: Vec<Value>,
}

impl Query {
    pub(super) const fn new(sql: &'static str) -> Self {
        Self { sql: Cow::Borrowed(sql), values: Vec::new() }
    }

    /// The value of the next parameter.
    pub(super) fn with(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }
}

/// Rows on a page at most.
const MOST: usize = 10_000;

/// Messages, newest first, and one more than wanted. `None`: the place after which they are is none.
pub(super) fn messages(wanted: &Wanted) -> Option<Query> {
    let mut find = Find::new(
        "SELECT m.key, m.at, m.uaop_id, m.journey,
                (SELECT resend_of FROM orders o WHERE o.uaop_id = m.uaop_id) FROM messages m",
    );
    let Wanted { from, until, to, empi, carrier, stage, after, most } = wanted;
    find.number("m.number", to.as_ref());
    // With a number its index is the one to use: one number has few messages, one EMPI has many.
    let column = if to.is_some() { "coalesce(m.empi, '') = " } else { "m.empi = " };
    find.and(column, empi.as_ref().map(|empi| empi.as_str()));
    find.and("m.at >= ", *from);
    find.and("m.at < ", *until);
    find.and("m.carrier = ", carrier.as_ref().map(|carrier| carrier.as_str()));
    find.and("m.stage = ", stage.map(super::row::code));
    find.page("m.at, m.key", after.as_deref(), *most)
}

/// Users' messages, likewise.
pub(super) fn user_messages(wanted: &Wanted) -> Option<Query> {
    let mut find = Find::new("SELECT u.key, u.at, u.message FROM user_messages u");
    let Wanted { from, until, to, empi, carrier: _, stage: _, after, most } = wanted;
    find.number("u.sender", to.as_ref());
    find.and("u.empi = ", empi.as_ref().map(|empi| empi.as_str()));
    find.and("u.at >= ", *from);
    find.and("u.at < ", *until);
    find.page("u.at, u.key", after.as_deref(), *most)
}

/// What was found, each with its time and key, as a page.
pub(super) fn page<T>(mut found: Vec<(i64, i64, T)>, most: usize) -> Page<T> {
    let most = most.clamp(1, MOST);
    let more = found.len() > most;
    found.truncate(most);
    let last = found.last().filter(|_| more);
    let next = last.map(|(at, key, _)| format!("{at}.{key}"));
    Page { rows: found.into_iter().map(|(_, _, row)| row).collect(), next }
}

struct Find {
    sql: String,
    values: Vec<Value>,
}

impl Find {
    fn new(select: &str) -> Self {
        Self { sql: select.to_owned(), values: Vec::new() }
    }

    fn number(&mut self, column: &str, number: Option<&Number>) {
        self.and(&format!("{column} = "), number.map(Number::national));
    }

    fn and(&mut self, condition: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            let word = if self.values.is_empty() { " WHERE " } else { " AND " };
            self.sql.push_str(word);
            self.sql.push_str(condition);
            self.parameter(value);
        }
    }

    fn page(mut self, order: &str, after: Option<&str>, most: usize) -> Option<Query> {
        if let Some(after) = after {
            let (at, key) = after.split_once('.')?;
            let (at, key): (i64, i64) = (at.parse().ok()?, key.parse().ok()?);
            self.and(&format!("({order}) < ("), Some(at));
            self.sql.push_str(", ");
            self.parameter(key);
            self.sql.push(')');
        }
        let newest = order.replace(',', " DESC,");
        self.sql.push_str(&format!(" ORDER BY {newest} DESC LIMIT "));
        self.parameter(limit(most.clamp(1, MOST) + 1));
        Some(Query { sql: Cow::Owned(self.sql), values: self.values })
    }

    fn parameter(&mut self, value: impl Into<Value>) {
        self.values.push(value.into());
        self.sql.push_str(&format!("${}", self.values.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_joined_and_the_page_goes_on_behind_the_last_row() {
        let wanted = Wanted {
            to: Some("8613800138000".parse().unwrap()),
            empi: Some("bank".parse().unwrap()),
            after: Some("5.7".to_owned()),
            most: 10,
            ..Wanted::default()
        };
        let query = user_messages(&wanted).unwrap();
        assert_eq!(
            query.sql,
            "SELECT u.key, u.at, u.message FROM user_messages u WHERE u.sender = $1 AND u.empi = $2 \
             AND (u.at, u.key) < ($3, $4) ORDER BY u.at DESC, u.key DESC LIMIT $5"
        );
        let values: [Value; 5] = ["13800138000".into(), "bank".into(), 5.into(), 7.into(), 11.into()];
        assert_eq!(query.values, values);
    }

    #[test]
    fn a_page_without_a_row_behind_it_is_the_last() {
        assert_eq!(page(vec![(9, 2, 'a'), (9, 1, 'b')], 2), Page { rows: vec!['a', 'b'], next: None });
        let next = Some("9.2".to_owned());
        assert_eq!(page(vec![(9, 2, 'a'), (9, 1, 'b')], 1), Page { rows: vec!['a'], next });
        assert!(messages(&Wanted { after: Some("x".to_owned()), ..Wanted::default() }).is_none());
    }
}
