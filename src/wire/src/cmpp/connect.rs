//! CONNECT, the login.

use super::auth::Authenticator;
use super::layout::Layout;
use super::pdu::Body;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::protocol::Version;
use crate::text::Text;

/// The customer's login; nothing goes before it.
///
/// ```text
///                       2.0   3.0
/// Source_Addr             6     6   the customer's id
/// AuthenticatorSource    16    16   MD5
/// Version                 1     1   major in the high nibble, minor in the low
/// Timestamp               4     4   the decimal number MMDDhhmmss
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connect {
    pub source_addr: Text<6>,
    pub authenticator: Authenticator,
    pub version: Version,
    pub timestamp: u32,
}

/// The gateway's answer.
///
/// ```text
///                       2.0   3.0
/// Status                  1     4   0 for welcome
/// AuthenticatorISMG      16    16   MD5; zeros in a refusal
/// Version                 1     1   the highest that the gateway has
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectResp {
    pub status: u32,
    pub authenticator: Authenticator,
    pub version: Version,
    /// Has the other version's layout: what a refusal may have, for the two sides do not agree on one yet.
    pub foreign: bool,
}

impl Body for Connect {
    fn read(_: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            source_addr: reader.text("Source_Addr")?,
            authenticator: reader.array("AuthenticatorSource").map(Authenticator)?,
            version: reader.u8("Version").map(Version)?,
            timestamp: reader.u32("Timestamp")?,
        })
    }

    fn write(&self, _: Layout, writer: &mut Writer<'_>) {
        writer.text(&self.source_addr);
        writer.bytes(&self.authenticator.0);
        writer.u8(self.version.0);
        writer.u32(self.timestamp);
    }
}

impl Body for ConnectResp {
    fn read(layout: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let actual = Layout::of_code(reader, 17);
        Ok(Self {
            status: actual.read_code(reader, "Status")?,
            authenticator: reader.array("AuthenticatorISMG").map(Authenticator)?,
            version: reader.u8("Version").map(Version)?,
            foreign: actual != layout,
        })
    }

    fn write(&self, layout: Layout, writer: &mut Writer<'_>) {
        layout.or_other(self.foreign).write_code(writer, self.status);
        writer.bytes(&self.authenticator.0);
        writer.u8(self.version.0);
    }
}
