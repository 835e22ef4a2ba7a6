//! SMGP as a session sees it.

use domain::{Meaning, Stamp};

use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::protocol::{
    Cannot, Credentials, Login, NO_WELCOME, Protocol, Refusal, Role, Secret, Version, Welcome,
};
use crate::smgp::active_test::{ActiveTest, ActiveTestResp};
use crate::smgp::auth::Authenticator;
use crate::smgp::deliver::DeliverResp;
use crate::smgp::exit::{Exit, ExitResp};
use crate::smgp::forward::ForwardResp;
use crate::smgp::login::{Login as LoginPdu, LoginResp};
use crate::smgp::msg_id::MsgId;
use crate::smgp::pdu::Pdu;
use crate::smgp::submit::SubmitResp;
use crate::smgp::tlv::Tlvs;
use crate::smgp::{Smgp, V3_0, codes, command};
use crate::text::Text;

impl Protocol for Smgp {
    type Pdu = Pdu;
    type Sequence = u32;

    const NAME: &'static str = "SMGP";
    const HEADER: u32 = 12;
    /// Twice a SUBMIT to 100 numbers with as many pseudonyms.
    const LONGEST: u32 = 8192;
    const UNKNOWN_ENDS: bool = false;

    fn decode(version: Version, frame: &[u8]) -> Result<Pdu, DecodeError> {
        let mut reader = Reader::new(frame);
        let _length = reader.u32("PacketLength")?;
        let command = reader.u32("RequestID")?;
        let _sequence = reader.u32("SequenceID")?;
        Pdu::read(version, command, reader)
    }

    fn header(frame: &[u8]) -> (u32, u32) {
        let word =
            |at: usize| frame.get(at..).and_then(<[u8]>::first_chunk).copied().map_or(0, u32::from_be_bytes);
        (word(8), word(4))
    }

    fn encode(version: Version, sequence: u32, pdu: &Pdu, out: &mut Vec<u8>) {
        let mut writer = Writer::frame(out);
        writer.u32(pdu.command());
        writer.u32(sequence);
        pdu.write(version, &mut writer);
        writer.finish();
    }

    fn sequence(number: u32, _node: u32, _stamp: Stamp) -> u32 {
        number
    }

    fn role(pdu: &Pdu) -> Role {
        match pdu {
            Pdu::Login(_) => Role::Login,
            Pdu::LoginResp(_) => Role::LoginAnswer,
            Pdu::ActiveTest(_) => Role::Probe,
            Pdu::ActiveTestResp(_) => Role::ProbeAnswer,
            Pdu::Exit(_) => Role::Terminate,
            Pdu::ExitResp(_) => Role::TerminateAnswer,
            Pdu::Submit(_) | Pdu::Deliver(_) | Pdu::Query(_) => Role::Request,
            Pdu::SubmitResp(_) | Pdu::DeliverResp(_) | Pdu::QueryResp(_) | Pdu::ForwardResp(_) => {
                Role::Answer
            }
            Pdu::Forward(_) => Role::Unknown,
            Pdu::Unknown { command, .. } if command & command::RESPONSE != 0 => Role::Answer,
            Pdu::Unknown { .. } => Role::Unknown,
        }
    }

    fn login(credentials: &Credentials, stamp: Stamp) -> Pdu {
        let client_id = Text::cut(credentials.id.as_bytes());
        let timestamp = stamp.month_to_second();
        Pdu::Login(LoginPdu {
            client_id,
            authenticator: Authenticator::client(&client_id, &credentials.secret, timestamp),
            mode: credentials.mode,
            timestamp,
            version: credentials.version,
        })
    }

    fn read_login(pdu: &Pdu) -> Option<Login> {
        let Pdu::Login(login) = pdu else { return None };
        Some(Login { id: Text::cut(login.client_id.as_bytes()), version: login.version, mode: login.mode })
    }

    /// Accepts the digest over the padded `ClientID` too.
    fn proves(login: &Pdu, secret: &Secret) -> bool {
        let Pdu::Login(login) = login else { return false };
        [Authenticator::client, Authenticator::client_padded]
            .iter()
            .any(|digest| digest(&login.client_id, secret, login.timestamp) == login.authenticator)
    }

    fn welcome(login: &Pdu, status: u32, version: Version, secret: &Secret) -> Pdu {
        let authenticator = match login {
            Pdu::Login(login) if status == codes::OK => {
                Authenticator::server(status, login.authenticator, secret)
            }
            _ => Authenticator::EMPTY,
        };
        Pdu::LoginResp(LoginResp { status, authenticator, version })
    }

    fn read_welcome(login: &Pdu, pdu: &Pdu, secret: &Secret) -> Result<Welcome, &'static str> {
        let Pdu::LoginResp(answer) = pdu else { return Err(NO_WELCOME) };
        let authentic = matches!(login, Pdu::Login(login)
            if Authenticator::server(answer.status, login.authenticator, secret) == answer.authenticator);
        Ok(Welcome { status: answer.status, version: Some(answer.version), authentic })
    }

    /// The standard has no code for a mode or a second login: the first is refused like a wrong name, as the field
    /// does it, the second as a request that has no place here.
    fn refusal(why: Refusal) -> u32 {
        match why {
            Refusal::Authentication | Refusal::Mode => codes::AUTHENTICATION,
            Refusal::Version => codes::VERSION,
            Refusal::TooManyConnections => codes::CONNECTIONS,
            Refusal::Repeated => codes::REQUEST_ID,
            Refusal::Address => codes::ADDRESS,
        }
    }

    fn login_meaning(status: u32) -> Meaning {
        codes::login_meaning(status)
    }

    fn probe() -> Option<Pdu> {
        Some(Pdu::ActiveTest(ActiveTest))
    }

    fn probe_answer() -> Option<Pdu> {
        Some(Pdu::ActiveTestResp(ActiveTestResp))
    }

    fn terminate() -> Pdu {
        Pdu::Exit(Exit)
    }

    fn terminate_answer() -> Pdu {
        Pdu::ExitResp(ExitResp)
    }

    fn cannot(command: u32, body: &[u8], why: Cannot) -> Option<Pdu> {
        let status = match why {
            Cannot::Read => codes::STRUCTURE,
            Cannot::Serve => codes::REQUEST_ID,
            Cannot::Sequence => codes::SEQUENCE,
            Cannot::Window => codes::BUSY,
        };
        let delivered = body.first_chunk().copied().map_or(MsgId::NONE, MsgId);
        match command {
            command::LOGIN => {
                Some(Pdu::LoginResp(LoginResp { status, authenticator: Authenticator::EMPTY, version: V3_0 }))
            }
            command::SUBMIT => Some(Pdu::SubmitResp(SubmitResp { msg_id: MsgId::NONE, status })),
            command::DELIVER => Some(Pdu::DeliverResp(DeliverResp { msg_id: delivered, status })),
            command::FORWARD => {
                Some(Pdu::ForwardResp(ForwardResp { msg_id: delivered, status, tlvs: Tlvs::default() }))
            }
            _ => None,
        }
    }
}
