//! The files of golden PDUs beside this one: `name: hex` lines, each with its fields in the `#   field = value` lines
//! under it.

use encoding_rs::{GB18030, UTF_16BE};

/// One PDU, and what a person reads in it.
#[derive(Debug)]
pub struct Vector {
    pub name: String,
    pub bytes: Vec<u8>,
    /// Name and value, in the order of the file.
    pub fields: Vec<(String, String)>,
}

/// Reads the text of a file; a line that is neither a PDU, a field nor a heading fails the test.
pub fn read(text: &str) -> Vec<Vector> {
    let mut vectors: Vec<Vector> = Vec::new();
    for line in text.lines() {
        if let Some(field) = line.strip_prefix("#   ") {
            let (name, value) = field.split_once(" =").unwrap_or_else(|| panic!("no field: {line}"));
            let value = value.strip_prefix(' ').unwrap_or(value);
            let vector = vectors.last_mut().expect("a PDU above its fields");
            vector.fields.push((name.to_owned(), value.to_owned()));
        } else if !line.starts_with('#') && !line.is_empty() {
            let (name, digits) = line.split_once(": ").unwrap_or_else(|| panic!("no PDU: {line}"));
            vectors.push(Vector { name: name.to_owned(), bytes: unhex(digits), fields: Vec::new() });
        }
    }
    vectors
}

/// Hexadecimal, as the files write bytes.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A message content as the files write it: `'text'`, behind a user data header `UDH[hex] 'text'`.
pub fn content(coding: u8, header: bool, bytes: &[u8]) -> String {
    let (header, text) = match bytes.first() {
        Some(&length) if header => bytes.split_at(usize::from(length) + 1),
        _ => bytes.split_at(0),
    };
    let text = match coding {
        0 => std::str::from_utf8(text).expect("ASCII").to_owned(),
        8 => UTF_16BE.decode_without_bom_handling(text).0.into_owned(),
        15 => GB18030.decode_without_bom_handling(text).0.into_owned(),
        other => panic!("a content in coding {other}"),
    };
    if header.is_empty() { format!("'{text}'") } else { format!("UDH[{}] '{text}'", hex(header)) }
}

fn unhex(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
    (0..digits.len()).step_by(2).map(byte).collect()
}
