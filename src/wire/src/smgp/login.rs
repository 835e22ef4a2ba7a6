//! LOGIN and LOGIN_RESP.

use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::protocol::Version;
use crate::smgp::auth::Authenticator;
use crate::text::Text;

/// `LoginMode`: the SP sends SUBMIT only.
pub const SEND: u8 = 0;
/// `LoginMode`: the gateway sends DELIVER only.
pub const RECEIVE: u8 = 1;
/// `LoginMode`: both.
pub const TRANSMIT: u8 = 2;

/// The SP's first PDU.
///
/// | field               | bytes | content                              |
/// |---------------------|-------|--------------------------------------|
/// | ClientID            | 8     | text                                 |
/// | AuthenticatorClient | 16    | [`Authenticator::client`]            |
/// | LoginMode           | 1     | [`SEND`], [`RECEIVE`], [`TRANSMIT`]  |
/// | TimeStamp           | 4     | the decimal number MMDDHHMMSS        |
/// | ClientVersion       | 1     | 0x13, 0x20, 0x30                     |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub client_id: Text<8>,
    pub authenticator: Authenticator,
    pub mode: u8,
    pub timestamp: u32,
    pub version: Version,
}

impl Login {
    pub(super) fn read(body: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            client_id: body.text("ClientID")?,
            authenticator: Authenticator(body.array("AuthenticatorClient")?),
            mode: body.u8("LoginMode")?,
            timestamp: body.u32("TimeStamp")?,
            version: Version(body.u8("ClientVersion")?),
        })
    }

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        out.text(&self.client_id);
        out.bytes(&self.authenticator.0);
        out.u8(self.mode);
        out.u32(self.timestamp);
        out.u8(self.version.0);
    }
}

/// The gateway's answer.
///
/// | field               | bytes | content                                          |
/// |---------------------|-------|--------------------------------------------------|
/// | Status              | 4     | 0 or a code of [`super::codes`]                  |
/// | AuthenticatorServer | 16    | [`Authenticator::server`]; NULs when it refuses  |
/// | ServerVersion       | 1     | the highest that it knows                        |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginResp {
    pub status: u32,
    pub authenticator: Authenticator,
    pub version: Version,
}

impl LoginResp {
    pub(super) fn read(body: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            status: body.u32("Status")?,
            authenticator: Authenticator(body.array("AuthenticatorServer")?),
            version: Version(body.u8("ServerVersion")?),
        })
    }

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        out.u32(self.status);
        out.bytes(&self.authenticator.0);
        out.u8(self.version.0);
    }
}
