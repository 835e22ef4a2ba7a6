//! Fields that must not show themselves.

use std::fmt;

use domain::Number;

use super::field::Field;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::text::Text;

/// The number of a user, with the country code 86 in front; `Debug` masks it.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserNumber(pub Text<21>);

impl fmt::Debug for UserNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.to_text().parse::<Number>() {
            Ok(number) => fmt::Display::fmt(&number, f),
            Err(_) => f.write_str("****"),
        }
    }
}

impl Field for UserNumber {
    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
        reader.text(name).map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.text(&self.0);
    }
}

/// A password in clear text; `Debug` masks it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Password(pub Text<16>);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Field for Password {
    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
        reader.text(name).map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.text(&self.0);
    }
}

/// What a user is told or says, or bytes of which it is not known whether they are; `Debug` shows their number only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Content(pub Vec<u8>);

impl Content {
    /// Reads `MessageLength`, in four bytes, and that much content.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = usize::try_from(reader.u32("MessageLength")?).unwrap_or(usize::MAX);
        reader.slice("MessageContent", length).map(|content| Self(content.to_vec()))
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.u32(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        writer.bytes(&self.0);
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_number_nor_password_nor_text_is_shown() {
        let user = UserNumber("8613800138000".parse().unwrap());
        assert_eq!(format!("{user:?}"), "861****8000");
        assert_eq!(format!("{:?}", UserNumber("not a number".parse().unwrap())), "****");
        assert_eq!(format!("{:?}", Password("1234".parse().unwrap())), "***");
        assert_eq!(format!("{:?}", Content(b"secret".to_vec())), "6 bytes");
    }
}
