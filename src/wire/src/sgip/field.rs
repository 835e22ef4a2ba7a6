//! Fields as they stand on the wire, and PDUs that are nothing but a row of them.

use std::net::Ipv4Addr;

use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::text::Text;

/// The width of the reserve that ends every body, in bytes.
pub(super) const RESERVE: usize = 8;

/// A field of fixed width.
pub(super) trait Field: Sized {
    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError>;
    fn write(&self, writer: &mut Writer<'_>);
}

impl Field for u8 {
    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
        reader.u8(name)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(*self);
    }
}

impl Field for u32 {
    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
        reader.u32(name)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u32(*self);
    }
}

impl Field for Ipv4Addr {
    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
        reader.array::<4>(name).map(Self::from)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes(&self.octets());
    }
}

impl<const N: usize> Field for Text<N> {
    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
        reader.text(name)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.text(self);
    }
}

/// The reserve at the end of a body; there are senders that leave it out.
pub(super) fn reserve(reader: &mut Reader<'_>) -> Result<Text<RESERVE>, DecodeError> {
    if reader.remaining() == 0 {
        return Ok(Text::EMPTY);
    }
    let reserve = reader.text("Reserve")?;
    skip_second_reserve(reader)?;
    Ok(reserve)
}

/// There are senders that put another reserve behind every PDU, even behind one without a body.
pub(super) fn skip_second_reserve(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    if reader.remaining() == RESERVE {
        reader.slice("Reserve", RESERVE)?;
    }
    Ok(())
}

/// Defines a PDU whose body is a row of fields of fixed width and a reserve: the struct, and its reading and writing
/// in the order of the fields. Behind each field stands its name in the standard, for errors.
macro_rules! body {
    ($(#[$doc:meta])* pub struct $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $kind:ty = $wire:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $kind,)*
            pub reserve: $crate::text::Text<8>,
        }

        impl $name {
            pub(super) fn read(
                reader: &mut $crate::cursor::Reader<'_>,
            ) -> Result<Self, $crate::error::DecodeError> {
                Ok(Self {
                    $($field: $crate::sgip::field::Field::read(reader, $wire)?,)*
                    reserve: $crate::sgip::field::reserve(reader)?,
                })
            }

            pub(super) fn write(&self, writer: &mut $crate::cursor::Writer<'_>) {
                $($crate::sgip::field::Field::write(&self.$field, writer);)*
                writer.text(&self.reserve);
            }
        }
    };
}

pub(super) use body;
