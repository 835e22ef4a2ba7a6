//! Lines of a file in portions that fit into a request.

use std::io::{BufRead, Read};

use anyhow::{Context, bail};

/// Messages in a request.
const MOST_LINES: usize = 500;
/// Bytes in a request; the gateway takes 4 MiB.
const MOST_BYTES: usize = 4 << 20;

/// Reads portions.
#[derive(Debug)]
pub(super) struct Batches<R> {
    lines: R,
    /// Of the line read last.
    number: usize,
    /// Read, but too long for the portion before.
    held: Vec<u8>,
}

/// What goes into one request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Batch {
    /// Of its lines in the file, from 1.
    pub numbers: Vec<usize>,
    pub body: Vec<u8>,
}

impl<R: BufRead> Batches<R> {
    pub(super) fn new(lines: R) -> Self {
        Self { lines, number: 0, held: Vec::new() }
    }

    /// The next portion; none at the end. Empty lines are passed over.
    ///
    /// # Errors
    /// The file cannot be read, or a line is too long or no UTF-8. What was read before comes with the portions before.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Batch>> {
        let mut batch = Batch::default();
        while batch.numbers.len() < MOST_LINES {
            if self.held.is_empty() && !self.read_line()? {
                break;
            }
            if batch.body.len() + self.held.len() > MOST_BYTES {
                break;
            }
            batch.numbers.push(self.number);
            batch.body.append(&mut self.held);
        }
        Ok((!batch.numbers.is_empty()).then_some(batch))
    }

    /// Whether there is another line that is not empty; it is held then, with its end.
    fn read_line(&mut self) -> anyhow::Result<bool> {
        loop {
            self.number += 1;
            let mut line = Vec::new();
            let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
            let read = (&mut self.lines).take(most).read_until(b'\n', &mut line);
            let read = read.with_context(|| format!("reading line {}", self.number))?;
            if read == 0 {
                return Ok(false);
            }
            if line.last() != Some(&b'\n') {
                line.push(b'\n');
            }
            if line.len() > MOST_BYTES {
                bail!("line {} is longer than a request may be; nothing after it was sent", self.number);
            }
            if std::str::from_utf8(&line).is_err() {
                bail!("line {} is not UTF-8; nothing after it was sent", self.number);
            }
            if !line.trim_ascii().is_empty() {
                self.held = line;
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(text: &[u8]) -> Vec<Batch> {
        let mut batches = Batches::new(text);
        std::iter::from_fn(|| batches.next().unwrap()).collect()
    }

    #[test]
    fn a_portion_has_500_lines_at_most_and_knows_their_numbers() {
        let portions = batches("x\n".repeat(1001).as_bytes());
        let sizes: Vec<usize> = portions.iter().map(|batch| batch.numbers.len()).collect();
        assert_eq!(sizes, [500, 500, 1]);
        assert_eq!(portions[2], Batch { numbers: vec![1001], body: b"x\n".to_vec() });
    }

    #[test]
    fn empty_lines_are_passed_over_and_the_last_one_needs_no_end() {
        let portions = batches(b"\n a\n \r\nb");
        assert_eq!(portions, [Batch { numbers: vec![2, 4], body: b" a\nb\n".to_vec() }]);
        assert_eq!(batches(b"\n\n"), []);
    }

    #[test]
    fn a_portion_is_as_long_as_a_request_may_be_at_most() {
        let line = format!("{}\n", "x".repeat(MOST_BYTES / 3));
        let portions = batches(line.repeat(3).as_bytes());
        let numbers: Vec<&[usize]> = portions.iter().map(|batch| &batch.numbers[..]).collect();
        assert_eq!(numbers, [&[1, 2][..], &[3]]);
    }

    #[test]
    fn a_line_that_no_request_can_carry_is_named_after_those_before_it_were_given() {
        let long = [b"a\n".repeat(500), vec![b'x'; MOST_BYTES + 1]].concat();
        for (text, problem) in [
            (long, "line 501 is longer"),
            ([b"a\n".repeat(500), vec![0xff]].concat(), "line 501 is not UTF-8"),
        ] {
            let mut batches = Batches::new(&text[..]);
            assert_eq!(batches.next().unwrap().unwrap().numbers.len(), 500);
            let error = batches.next().unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
