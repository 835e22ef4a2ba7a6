//! What an HTTP answer means.

use thiserror::Error;

use crate::config::HttpCheck;

/// So much of a body is looked at, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// How an HTTP answer differs from what the check expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HttpMismatch {
    #[error("status {0}")]
    Status(u16),
    #[error("body does not match")]
    Body,
}

impl HttpCheck {
    /// Judges the status line, which comes first and may be enough.
    ///
    /// # Errors
    /// The status is in none of the expected ranges.
    pub fn judge_status(&self, status: u16) -> Result<(), HttpMismatch> {
        let expected = self.status.iter().any(|&(first, last)| (first..=last).contains(&status));
        if expected { Ok(()) } else { Err(HttpMismatch::Status(status)) }
    }

    /// Judges the body, of which bytes after [`BODY_LIMIT`] do not count.
    ///
    /// # Errors
    /// A body is expected, and this is not it.
    pub fn judge_body(&self, body: &[u8]) -> Result<(), HttpMismatch> {
        let body = &body[..body.len().min(BODY_LIMIT)];
        let expected = self.body.as_ref().is_none_or(|expect| expect.matches(body));
        if expected { Ok(()) } else { Err(HttpMismatch::Body) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Expect;

    fn check(status: &[(u16, u16)], body: Option<&str>) -> HttpCheck {
        HttpCheck {
            method: "GET".into(),
            path: "/".into(),
            host: None,
            status: status.to_vec(),
            body: body.map(|text| Expect::Bytes(text.into())),
            tls: None,
        }
    }

    #[test]
    fn status_ranges_are_inclusive() {
        let check = check(&[(200, 299), (404, 404)], None);
        for (status, expected) in
            [(199, false), (200, true), (299, true), (300, false), (404, true), (500, false)]
        {
            assert_eq!(check.judge_status(status).is_ok(), expected, "{status}");
        }
        assert_eq!(check.judge_status(500), Err(HttpMismatch::Status(500)));
    }

    #[test]
    fn a_body_counts_up_to_the_limit() {
        assert_eq!(check(&[], None).judge_body(b"anything"), Ok(()));
        let check = check(&[], Some("ready"));
        assert_eq!(check.judge_body(b"is ready"), Ok(()));
        assert_eq!(check.judge_body(b"is not"), Err(HttpMismatch::Body));
        let late = [vec![b' '; BODY_LIMIT - 4], b"ready".to_vec()].concat();
        assert_eq!(check.judge_body(&late), Err(HttpMismatch::Body));
        assert_eq!(check.judge_body(&late[1..]), Ok(()));
    }
}
