//! `SUBMIT`: a message to one user or several, to the carrier.

use super::field::{Field, RESERVE, reserve};
use super::private::{Content, UserNumber};
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::text::Text;

/// The most users of one submit. Many gateways take no more than one.
pub const MOST_USERS: u8 = 100;

/// `ReportFlag`: a report only if the message fails.
pub const REPORT_ON_FAILURE: u8 = 0;
/// `ReportFlag`: a report in any case.
pub const REPORT_ALWAYS: u8 = 1;
/// `ReportFlag`: no report.
pub const REPORT_NEVER: u8 = 2;

/// `SUBMIT`, 143 + 21 n + L bytes with the header.
///
/// | field            | size | meaning |
/// |------------------|------|---------|
/// | SPNumber         | 21   | access number and extension, shown on the handset |
/// | ChargeNumber     | 21   | who pays; empty: each user; 21 times "0": the SP |
/// | UserCount        | 1    | n, 1 to [`MOST_USERS`] |
/// | UserNumber       | 21 n | destinations, with 86 in front |
/// | CorpId           | 5    | enterprise code |
/// | ServiceType      | 10   | service code |
/// | FeeType          | 1    | 0 record only, 1 free, 2 by the message, 3 monthly, 4 the SP collects |
/// | FeeValue         | 6    | fen |
/// | GivenValue       | 6    | gift, fen |
/// | AgentFlag        | 1    | 0 receivable, 1 received |
/// | MorelatetoMTFlag | 1    | 0 first answer to an MO, 1 further one, 2 no answer, 3 by the system |
/// | Priority         | 1    | 0 to 9 |
/// | ExpireTime       | 16   | `yymmddhhmmss032+`; empty for the default |
/// | ScheduleTime     | 16   | the same; empty for now |
/// | ReportFlag       | 1    | [`REPORT_ON_FAILURE`], [`REPORT_ALWAYS`], [`REPORT_NEVER`], 3 record of a monthly fee |
/// | TP_pid           | 1    | |
/// | TP_udhi          | 1    | 1: the content begins with a user data header |
/// | MessageCoding    | 1    | 0 ASCII, 3 write to SIM, 4 binary, 8 UCS2, 15 GBK |
/// | MessageType      | 1    | 0 short message |
/// | MessageLength    | 4    | L |
/// | MessageContent   | L    | |
/// | Reserve          | 8    | in practice the LinkID of an on-demand service |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submit {
    pub sp_number: Text<21>,
    pub charge_number: UserNumber,
    /// No more than the first [`MOST_USERS`] are sent.
    pub users: Vec<UserNumber>,
    pub corp_id: Text<5>,
    pub service_type: Text<10>,
    pub fee_type: u8,
    pub fee_value: Text<6>,
    pub given_value: Text<6>,
    pub agent_flag: u8,
    pub more_late_to_mt: u8,
    pub priority: u8,
    pub expire_time: Text<16>,
    pub schedule_time: Text<16>,
    pub report_flag: u8,
    pub tp_pid: u8,
    pub tp_udhi: u8,
    pub coding: u8,
    pub message_type: u8,
    pub content: Content,
    pub reserve: Text<RESERVE>,
}

impl Submit {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            sp_number: reader.text("SPNumber")?,
            charge_number: Field::read(reader, "ChargeNumber")?,
            users: read_users(reader)?,
            corp_id: reader.text("CorpId")?,
            service_type: reader.text("ServiceType")?,
            fee_type: reader.u8("FeeType")?,
            fee_value: reader.text("FeeValue")?,
            given_value: reader.text("GivenValue")?,
            agent_flag: reader.u8("AgentFlag")?,
            more_late_to_mt: reader.u8("MorelatetoMTFlag")?,
            priority: reader.u8("Priority")?,
            expire_time: reader.text("ExpireTime")?,
            schedule_time: reader.text("ScheduleTime")?,
            report_flag: reader.u8("ReportFlag")?,
            tp_pid: reader.u8("TP_pid")?,
            tp_udhi: reader.u8("TP_udhi")?,
            coding: reader.u8("MessageCoding")?,
            message_type: reader.u8("MessageType")?,
            content: Content::read(reader)?,
            reserve: reserve(reader)?,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.text(&self.sp_number);
        self.charge_number.write(writer);
        self.write_users(writer);
        writer.text(&self.corp_id);
        writer.text(&self.service_type);
        writer.u8(self.fee_type);
        writer.text(&self.fee_value);
        writer.text(&self.given_value);
        writer.u8(self.agent_flag);
        writer.u8(self.more_late_to_mt);
        writer.u8(self.priority);
        writer.text(&self.expire_time);
        writer.text(&self.schedule_time);
        writer.u8(self.report_flag);
        writer.u8(self.tp_pid);
        writer.u8(self.tp_udhi);
        writer.u8(self.coding);
        writer.u8(self.message_type);
        self.content.write(writer);
        writer.text(&self.reserve);
    }

    fn write_users(&self, writer: &mut Writer<'_>) {
        let count = u8::try_from(self.users.len()).unwrap_or(u8::MAX).min(MOST_USERS);
        writer.u8(count);
        for user in &self.users[..usize::from(count)] {
            user.write(writer);
        }
    }
}

fn read_users(reader: &mut Reader<'_>) -> Result<Vec<UserNumber>, DecodeError> {
    let count = reader.u8("UserCount")?;
    if count == 0 || count > MOST_USERS {
        let limit = u32::from(MOST_USERS);
        return Err(DecodeError::Limit { field: "UserCount", value: u32::from(count), limit });
    }
    let (numbers, _) = reader.slice("UserNumber", 21 * usize::from(count))?.as_chunks();
    Ok(numbers.iter().map(|&number| UserNumber(Text::from_field(number))).collect())
}
