//! The record as lines of JSON.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;

use super::{File, Message};

pub(super) struct LineFile {
    file: std::fs::File,
    /// Where each line begins, and where the next one will.
    starts: Vec<u64>,
    buffer: Vec<u8>,
}

impl LineFile {
    /// A last line that a dead process left unfinished is cut off.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = private(path)?;
        let mut starts = vec![0];
        let mut reader = BufReader::new(&file);
        let (mut line, mut end) = (Vec::new(), 0_u64);
        while reader.read_until(b'\n', &mut line)? > 0 {
            if line.ends_with(b"\n") {
                end += u64::try_from(line.len())?;
                starts.push(end);
            }
            line.clear();
        }
        file.set_len(end)?;
        Ok(Self { file, starts, buffer: Vec::new() })
    }

    fn end(&self) -> u64 {
        self.starts.last().copied().unwrap_or_default()
    }
}

/// Opens a file that only its owner may read, or makes it.
pub(super) fn private(path: &Path) -> std::io::Result<std::fs::File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

impl File for LineFile {
    fn last(&self) -> u64 {
        self.starts.len().saturating_sub(1) as u64
    }

    fn write(&mut self, messages: &[Message]) -> anyhow::Result<()> {
        self.buffer.clear();
        let start = self.end();
        for message in messages {
            serde_json::to_writer(&mut self.buffer, message)?;
            self.buffer.push(b'\n');
            self.starts.push(start + u64::try_from(self.buffer.len())?);
        }
        self.file.seek(SeekFrom::Start(start))?;
        self.file.write_all(&self.buffer)?;
        Ok(())
    }

    fn read(&mut self, after: u64, limit: usize) -> anyhow::Result<Vec<Message>> {
        let Some(&start) = self.starts.get(usize::try_from(after)?) else { return Ok(Vec::new()) };
        self.file.seek(SeekFrom::Start(start))?;
        let lines = BufReader::new(&self.file).lines().take(limit);
        lines
            .map(|line| serde_json::from_str(&line?).context("a line of the record is not one of ours"))
            .collect()
    }
}
