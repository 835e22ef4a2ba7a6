//! What a session needs.

use domain::{Meaning, Stamp};

use super::active_test::{ActiveTest, ActiveTestResp};
use super::auth::{self, Authenticator};
use super::cancel::CancelResp;
use super::connect::{Connect, ConnectResp};
use super::deliver::DeliverResp;
use super::fwd::FwdResp;
use super::layout::Layout;
use super::msg_id::MsgId;
use super::pdu::Pdu;
use super::submit::SubmitResp;
use super::terminate::{Terminate, TerminateResp};
use super::{Cmpp, codes, command};
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::protocol::{
    Cannot, Credentials, Login, NO_WELCOME, Protocol, Refusal, Role, Secret, Version, Welcome,
};
use crate::text::Text;

impl Protocol for Cmpp {
    type Pdu = Pdu;
    type Sequence = u32;

    const NAME: &'static str = "CMPP";
    const HEADER: u32 = 12;
    /// A SUBMIT of 3.0 with all that its counts can say.
    const LONGEST: u32 = 8578;
    const UNKNOWN_ENDS: bool = false;

    fn decode(version: Version, frame: &[u8]) -> Result<Pdu, DecodeError> {
        let mut reader = Reader::new(frame);
        reader.u32("Total_Length")?;
        let command = reader.u32("Command_Id")?;
        reader.u32("Sequence_Id")?;
        Pdu::read(Layout::of(version), command, reader)
    }

    fn header(frame: &[u8]) -> (u32, u32) {
        let mut words = Reader::new(frame);
        let mut word = || words.u32("header").unwrap_or_default();
        let (_, command, sequence) = (word(), word(), word());
        (sequence, command)
    }

    fn encode(version: Version, sequence: u32, pdu: &Pdu, out: &mut Vec<u8>) {
        let mut writer = Writer::frame(out);
        writer.u32(pdu.command());
        writer.u32(sequence);
        pdu.write(Layout::of(version), &mut writer);
        writer.finish();
    }

    fn sequence(number: u32, _: u32, _: Stamp) -> u32 {
        number
    }

    fn role(pdu: &Pdu) -> Role {
        match pdu {
            Pdu::Connect(_) => Role::Login,
            Pdu::ConnectResp(_) => Role::LoginAnswer,
            Pdu::ActiveTest(_) => Role::Probe,
            Pdu::ActiveTestResp(_) => Role::ProbeAnswer,
            Pdu::Terminate(_) => Role::Terminate,
            Pdu::TerminateResp(_) => Role::TerminateAnswer,
            Pdu::Submit(_) | Pdu::Deliver(_) | Pdu::Query(_) | Pdu::Cancel(_) => Role::Request,
            Pdu::SubmitResp(_)
            | Pdu::DeliverResp(_)
            | Pdu::QueryResp(_)
            | Pdu::CancelResp(_)
            | Pdu::FwdResp(_) => Role::Answer,
            Pdu::Unknown { command, .. } if command::is_response(*command) => Role::Answer,
            Pdu::Fwd(_) | Pdu::Unknown { .. } => Role::Unknown,
        }
    }

    /// An id longer than 6 characters is cut.
    fn login(credentials: &Credentials, stamp: Stamp) -> Pdu {
        let source_addr = Text::<6>::cut(credentials.id.as_bytes());
        let timestamp = stamp.month_to_second();
        let authenticator = auth::source(source_addr.as_bytes(), &credentials.secret, timestamp);
        Connect { source_addr, authenticator, version: credentials.version, timestamp }.into()
    }

    fn read_login(pdu: &Pdu) -> Option<Login> {
        let Pdu::Connect(connect) = pdu else { return None };
        Some(Login { id: Text::cut(connect.source_addr.as_bytes()), version: connect.version, mode: 0 })
    }

    fn proves(login: &Pdu, secret: &Secret) -> bool {
        matches!(login, Pdu::Connect(connect) if auth::proves(connect, secret))
    }

    /// A refusal has the layout of the version that the client named: it may know no other.
    fn welcome(login: &Pdu, status: u32, version: Version, secret: &Secret) -> Pdu {
        let layout = Layout::of(version);
        let (authenticator, foreign) = match login {
            Pdu::Connect(connect) if status == 0 => {
                (auth::ismg(status, layout, &connect.authenticator, secret), false)
            }
            Pdu::Connect(connect) => (Authenticator::ZERO, Layout::of(connect.version) != layout),
            _ => (Authenticator::ZERO, false),
        };
        ConnectResp { status, authenticator, version, foreign }.into()
    }

    fn read_welcome(login: &Pdu, pdu: &Pdu, secret: &Secret) -> Result<Welcome, &'static str> {
        let Pdu::ConnectResp(answer) = pdu else { return Err(NO_WELCOME) };
        if answer.status == 0 && answer.foreign {
            return Err("its answer has another version's layout, as all that follows would");
        }
        let authentic = matches!(login, Pdu::Connect(connect) if auth::is_authentic(connect, answer, secret));
        Ok(Welcome { status: answer.status, version: Some(answer.version), authentic })
    }

    fn refusal(why: Refusal) -> u32 {
        match why {
            Refusal::Authentication => codes::NOT_AUTHENTICATED,
            Refusal::Version => codes::VERSION_TOO_HIGH,
            Refusal::Address => codes::ILLEGAL_SOURCE,
            Refusal::TooManyConnections | Refusal::Mode | Refusal::Repeated => codes::OTHER,
        }
    }

    fn login_meaning(status: u32) -> Meaning {
        codes::connect(status)
    }

    fn probe() -> Option<Pdu> {
        Some(ActiveTest.into())
    }

    fn probe_answer() -> Option<Pdu> {
        Some(ActiveTestResp { reserved: Some(0) }.into())
    }

    fn terminate() -> Pdu {
        Terminate.into()
    }

    fn terminate_answer() -> Pdu {
        TerminateResp.into()
    }

    fn cannot(command: u32, body: &[u8], why: Cannot) -> Option<Pdu> {
        // what begins with another field has no id yet, or one that nobody looked for
        let delivered = body.first_chunk().copied().map(u64::from_be_bytes).map(MsgId).unwrap_or_default();
        let msg_id = MsgId::default();
        let result = match why {
            Cannot::Read => codes::BAD_STRUCTURE,
            Cannot::Serve => codes::BAD_COMMAND,
            Cannot::Sequence => codes::REPEATED_SEQUENCE,
            Cannot::Window => codes::TOO_FAST,
        };
        Some(match command {
            command::CONNECT => ConnectResp {
                status: if why == Cannot::Read { codes::BAD_STRUCTURE } else { codes::OTHER },
                authenticator: Authenticator::ZERO,
                version: Version(0x30),
                foreign: false,
            }
            .into(),
            command::SUBMIT => SubmitResp { msg_id, result }.into(),
            command::DELIVER => DeliverResp { msg_id: delivered, result }.into(),
            command::CANCEL => CancelResp { success: 1, foreign: false }.into(),
            command::FWD => {
                let result = if why == Cannot::Serve { codes::NOT_FOR_THIS_GATEWAY } else { result };
                FwdResp { msg_id, pk_total: 1, pk_number: 1, result }.into()
            }
            _ => return None,
        })
    }
}
