//! The codecs as a table.

use std::fmt::Write;

use anyhow::Result;
use comfy_table::Table;
use comfy_table::presets::NOTHING;

use super::{markdown, number};
use crate::codec::{Codec, Line};
use crate::machine::Machine;
use crate::round::Settings;

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

/// `codec.md`.
pub fn page(machine: &Machine, settings: &Settings, codec: &Codec) -> Result<String> {
    let mut page = "# Codecs\n\n".to_owned();
    markdown::machine(&mut page, machine, "")?;
    writeln!(
        page,
        "- {} rounds of {} ms of CPU time for each cell, in turns\n",
        settings.rounds, codec.measure_ms
    )?;
    writeln!(page, "| {} |\n|---|{}", HEAD.join(" | "), "---:|".repeat(HEAD.len() - 1))?;
    for line in &codec.lines {
        writeln!(page, "| {} |", row(line).join(" | "))?;
    }
    page += "
A cell is the median over the rounds, with the smallest and the largest. One thread encodes the same PDU again and again
into memory that is there, decodes its frame into a value that is dropped, and copies the frame. The submit has 70
characters of UCS2 and one destination; the deliver has 12 characters.
";
    Ok(page)
}

fn row(line: &Line) -> [String; 6] {
    let Line { protocol, pdu, bytes, copy, encode, decode } = line;
    let ratio = (encode.median + decode.median) / copy.median;
    [
        format!("{protocol}, {pdu}"),
        bytes.to_string(),
        copy.to_string(),
        encode.to_string(),
        decode.to_string(),
        number(ratio),
    ]
}
