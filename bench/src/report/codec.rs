//! The codecs as a table.

use std::fmt::Write;

use anyhow::Result;
use comfy_table::Table;
use comfy_table::presets::NOTHING;

use super::number;
use crate::codec::{Codec, Line, Spread};

const HEAD: [&str; 6] = ["ns per PDU", "bytes", "copy", "encode", "decode", "both / copy"];

/// For a terminal; empty without codecs.
pub fn terminal(codec: &Codec) -> String {
    if codec.lines.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(HEAD);
    table.add_rows(codec.lines.iter().map(row));
    format!("\n{table}")
}

/// A section of the page.
pub fn section(page: &mut String, codec: &Codec) -> Result<()> {
    if codec.lines.is_empty() {
        return Ok(());
    }
    writeln!(page, "## Codecs\n\n| {} |\n|---|{}", HEAD.join(" | "), "---:|".repeat(HEAD.len() - 1))?;
    for line in &codec.lines {
        writeln!(page, "| {} |", row(line).join(" | "))?;
    }
    writeln!(page)?;
    Ok(())
}

/// How it is measured, for the end of the page.
pub fn reading(page: &mut String, codec: &Codec) -> Result<()> {
    if codec.lines.is_empty() {
        return Ok(());
    }
    writeln!(
        page,
        "- Codecs: one thread of this process encodes the same PDU again and again into memory that is there, decodes its frame
  into a value that is dropped, and copies the frame; in turns, for {} ms of CPU time of the thread in each round. The
  submit has 70 characters of UCS2 and one destination; the deliver has 12 characters.",
        codec.measure_ms
    )?;
    Ok(())
}

fn row(line: &Line) -> [String; 6] {
    let Line { protocol, pdu, bytes, copy, encode, decode } = line;
    let ratio = (encode.median + decode.median) / copy.median;
    [
        format!("{protocol}, {pdu}"),
        bytes.to_string(),
        spread(copy),
        spread(encode),
        spread(decode),
        number(ratio),
    ]
}

fn spread(Spread { median, min, max, .. }: &Spread) -> String {
    format!("{} ({}–{})", number(*median), number(*min), number(*max))
}
