//! All PDUs in one type.

use std::fmt;

use super::active_test::{ActiveTest, ActiveTestResp};
use super::cancel::{Cancel, CancelResp};
use super::command;
use super::connect::{Connect, ConnectResp};
use super::deliver::{Deliver, DeliverResp};
use super::fwd::{Fwd, FwdResp};
use super::layout::Layout;
use super::query::{Query, QueryResp};
use super::submit::{Submit, SubmitResp};
use super::terminate::{Terminate, TerminateResp};
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;

/// What stands behind the header.
pub(super) trait Body: Sized {
    fn read(layout: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
    fn write(&self, layout: Layout, writer: &mut Writer<'_>);
}

macro_rules! pdus {
    ($($name:ident = $id:path,)*) => {
        /// The body of a PDU. It shows no numbers and no texts.
        #[derive(Clone, PartialEq, Eq)]
        pub enum Pdu {
            $(#[allow(missing_docs)] $name($name),)*
            /// A command without a layout here, as it came.
            Unknown { command: u32, body: Vec<u8> },
        }

        impl Pdu {
            /// The command id that the header has.
            #[must_use]
            pub const fn command(&self) -> u32 {
                match self {
                    $(Self::$name(_) => $id,)*
                    Self::Unknown { command, .. } => *command,
                }
            }

            pub(super) fn read(layout: Layout, command: u32, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
                let pdu = match command {
                    $($id => Self::$name(Body::read(layout, &mut reader)?),)*
                    _ => {
                        let body = reader.slice("body", reader.remaining())?.to_vec();
                        Self::Unknown { command, body }
                    }
                };
                reader.finish().map(|()| pdu)
            }

            pub(super) fn write(&self, layout: Layout, writer: &mut Writer<'_>) {
                match self {
                    $(Self::$name(body) => body.write(layout, writer),)*
                    Self::Unknown { body, .. } => writer.bytes(body),
                }
            }
        }

        impl fmt::Debug for Pdu {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name(body) => body.fmt(f),)*
                    Self::Unknown { command, body } => {
                        let name = command::name(*command).unwrap_or("Unknown");
                        write!(f, "{name} {{ command: {command:#010x}, {} bytes }}", body.len())
                    }
                }
            }
        }

        $(impl From<$name> for Pdu {
            fn from(body: $name) -> Self {
                Self::$name(body)
            }
        })*
    };
}

pdus! {
    Connect = command::CONNECT,
    ConnectResp = command::CONNECT_RESP,
    Terminate = command::TERMINATE,
    TerminateResp = command::TERMINATE_RESP,
    Submit = command::SUBMIT,
    SubmitResp = command::SUBMIT_RESP,
    Deliver = command::DELIVER,
    DeliverResp = command::DELIVER_RESP,
    Query = command::QUERY,
    QueryResp = command::QUERY_RESP,
    Cancel = command::CANCEL,
    CancelResp = command::CANCEL_RESP,
    ActiveTest = command::ACTIVE_TEST,
    ActiveTestResp = command::ACTIVE_TEST_RESP,
    Fwd = command::FWD,
    FwdResp = command::FWD_RESP,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_without_a_layout_shows_its_name_and_not_its_body() {
        let shown = |command| format!("{:?}", Pdu::Unknown { command, body: b"13800138000".to_vec() });
        assert_eq!(shown(0x10), "MT_ROUTE { command: 0x00000010, 11 bytes }");
        assert_eq!(shown(0x8000_0003), "Unknown { command: 0x80000003, 11 bytes }");
    }
}
