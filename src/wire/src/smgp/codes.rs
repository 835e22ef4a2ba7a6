//! Codes in answers and reports, and what they say.

use domain::event::ReportState;
use domain::{Disposition, Meaning};

use Disposition::{Accepted, Final, Later, SlowDown};

pub const OK: u32 = 0;
pub const BUSY: u32 = 1;
pub const CONNECTIONS: u32 = 2;
/// A PDU that cannot be read.
pub const STRUCTURE: u32 = 10;
/// A command that is not served.
pub const REQUEST_ID: u32 = 11;
/// A sequence that is in use.
pub const SEQUENCE: u32 = 12;
/// The address of the peer.
pub const ADDRESS: u32 = 20;
pub const AUTHENTICATION: u32 = 21;
pub const VERSION: u32 = 22;

/// `Status` in the answer to a submit.
///
/// The protocol has no code for flow control. The nearest is 1, "busy", so it slows the account down; should the
/// gateway be busy with others, that costs little. What is wrong with the connection or its login (2, 20, 21, 22) or
/// with the hour and the day's amount (74, 75) is not the message's fault: later. So is a sequence in use (12): the
/// next attempt has another. All else, and what the standard does not know, would be refused again.
#[must_use]
pub fn meaning(status: u32) -> Meaning {
    let (disposition, chinese, english) = match status {
        OK => (Accepted, "成功", "success"),
        BUSY => (SlowDown, "系统忙", "system busy"),
        CONNECTIONS => (Later, "超过最大连接数", "too many connections"),
        STRUCTURE => (Final, "消息结构错", "wrong structure"),
        REQUEST_ID => (Final, "命令字错", "wrong request id"),
        SEQUENCE => (Later, "序列号重复", "sequence in use"),
        ADDRESS => (Later, "IP地址错", "wrong IP address"),
        AUTHENTICATION => (Later, "认证错", "authentication failed"),
        VERSION => (Later, "版本太高", "version too high"),
        30 => (Final, "非法消息类型", "invalid MsgType"),
        31 => (Final, "非法优先级", "invalid Priority"),
        32 => (Final, "非法资费类型", "invalid FeeType"),
        33 => (Final, "非法资费代码", "invalid FeeCode"),
        34 => (Final, "非法短消息格式", "invalid MsgFormat"),
        35 => (Final, "非法时间格式", "invalid format of a time"),
        36 => (Final, "非法短消息长度", "invalid MsgLength"),
        37 => (Final, "有效期已过", "validity is over"),
        38 => (Final, "非法查询类别", "invalid QueryType"),
        39 => (Final, "路由错误", "routing error"),
        40 => (Final, "非法包月费或封顶费", "invalid FixedFee"),
        41 => (Final, "非法更新类型", "invalid UpdateType"),
        42 => (Final, "非法路由编号", "invalid RouteId"),
        43 => (Final, "非法服务代码", "invalid ServiceId"),
        44 => (Final, "非法有效期", "invalid ValidTime"),
        45 => (Final, "非法定时发送时间", "invalid AtTime"),
        46 => (Final, "非法发送用户号码", "invalid SrcTermId"),
        47 => (Final, "非法接收用户号码", "invalid DestTermId"),
        48 => (Final, "非法计费用户号码", "invalid ChargeTermId"),
        49 => (Final, "非法SP服务代码", "invalid SPCode"),
        56 => (Final, "非法源网关代码", "invalid SrcGatewayID"),
        57 => (Final, "非法查询号码", "invalid QueryTermID"),
        58 => (Final, "没有匹配的路由", "no route"),
        59 => (Final, "非法SP类型", "invalid SPType"),
        60 => (Final, "非法上一条路由编号", "invalid LastRouteID"),
        61 => (Final, "非法路由类型", "invalid RouteType"),
        62 => (Final, "非法目标网关代码", "invalid DestGatewayID"),
        63 => (Final, "非法目标网关IP", "invalid DestGatewayIP"),
        64 => (Final, "非法目标网关端口", "invalid DestGatewayPort"),
        65 => (Final, "非法路由号码段", "invalid TermRangeID"),
        66 => (Final, "非法终端所属省代码", "invalid ProvinceCode"),
        67 => (Final, "非法用户类型", "invalid UserType"),
        68 => (Final, "本节点不支持路由更新", "no route updates here"),
        69 => (Final, "非法SP企业代码", "invalid SPID"),
        70 => (Final, "非法SP接入类型", "invalid SPAccessType"),
        71 => (Final, "路由信息更新失败", "route update failed"),
        72 => (Final, "非法时间戳", "invalid Time"),
        73 => (Final, "非法业务代码", "invalid MServiceID"),
        74 => (Later, "SP在禁止下发时段", "the SP must not send at this hour"),
        75 => (Later, "SP发送超过日流量", "the SP is over its amount of the day"),
        76 => (Final, "SP帐号已过有效期", "the SP's account has expired"),
        128..=255 => (Final, "厂家自定义错误", "an error of the vendor's own"),
        _ => (Final, "未知错误", "unknown error"),
    };
    Meaning { disposition, chinese, english }
}

/// `Status` in the answer to a login: busy and too many connections pass, for all else somebody has to act. A gateway
/// in the field refuses a wrong secret with 3, which the standard leaves free.
#[must_use]
pub fn login_meaning(status: u32) -> Meaning {
    let disposition = match status {
        OK => Accepted,
        BUSY | CONNECTIONS => Later,
        _ => Final,
    };
    match status {
        3 => Meaning {
            disposition,
            chinese: "认证错（非标准）",
            english: "authentication failed (not standard)",
        },
        _ => Meaning { disposition, ..meaning(status) },
    }
}

/// `stat` in a report. `ACCEPTD` comes on the way; whatever else is not `DELIVRD` is a failure.
#[must_use]
pub fn report_state(stat: &[u8]) -> ReportState {
    if stat.eq_ignore_ascii_case(b"DELIVRD") {
        ReportState::Delivered
    } else if stat.eq_ignore_ascii_case(b"ACCEPTD") {
        ReportState::Waiting
    } else {
        ReportState::Failed
    }
}

/// `stat` and `err` that a carrier reports.
#[must_use]
pub fn report_words(state: ReportState) -> (&'static str, &'static str) {
    match state {
        ReportState::Delivered => ("DELIVRD", "000"),
        ReportState::Failed => ("UNDELIV", "006"),
        ReportState::Waiting => ("ACCEPTD", "000"),
    }
}

/// `stat` and `err` in a report; `err` says more. A failure is final: the carrier has tried for as long as it would.
#[must_use]
pub fn report_meaning(stat: &[u8], err: &[u8]) -> Meaning {
    let disposition = match report_state(stat) {
        ReportState::Delivered => {
            return Meaning { disposition: Accepted, chinese: "已送达", english: "delivered" };
        }
        ReportState::Waiting => {
            return Meaning {
                disposition: Accepted,
                chinese: "已接收，尚未送达",
                english: "accepted, not yet delivered",
            };
        }
        ReportState::Failed => Final,
    };
    let (chinese, english) = match err {
        b"001" => ("用户不能通信", "the user cannot be reached"),
        b"002" => ("用户忙", "the user is busy"),
        b"003" => ("终端无此部件号", "the terminal has no such part"),
        b"004" => ("非法用户", "no such user"),
        b"005" => ("用户在黑名单内", "the user is on the black list"),
        b"006" => ("系统错误", "system error"),
        b"007" => ("用户内存满", "the user's memory is full"),
        b"008" => ("非信息终端", "not a terminal for messages"),
        b"009" => ("数据错误", "wrong data"),
        b"010" => ("数据丢失", "data lost"),
        b"999" => ("未知错误", "unknown error"),
        _ => match stat {
            b"EXPIRED" => ("超过有效期", "validity is over"),
            b"DELETED" => ("已被删除", "deleted"),
            b"UNDELIV" => ("无法投递", "cannot be delivered"),
            b"REJECTD" => ("被拒绝", "rejected"),
            b"UNKNOWN" => ("状态未知", "state unknown"),
            _ => ("运营商自定义的失败原因", "failed for a reason of the carrier's own"),
        },
    };
    Meaning { disposition, chinese, english }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_says_something_in_both_languages() {
        for status in 0..=300 {
            for meaning in [meaning(status), login_meaning(status)] {
                assert!(!meaning.chinese.is_ascii() && meaning.english.is_ascii(), "{status}");
            }
            assert_eq!(meaning(status).disposition == Accepted, status == OK);
        }
    }

    #[test]
    fn the_message_pays_only_for_its_own_faults() {
        assert_eq!(meaning(BUSY).disposition, SlowDown);
        for status in [2, 12, 20, 21, 22, 74, 75] {
            assert_eq!(meaning(status).disposition, Later, "{status}");
        }
        for status in [3, 10, 11, 30, 36, 47, 58, 76, 128, 255, 256] {
            assert_eq!(meaning(status).disposition, Final, "{status}");
        }
    }

    #[test]
    fn a_login_that_nobody_can_help_is_final() {
        let dispositions = [0, 1, 2, 3, 20, 21, 22].map(|status| login_meaning(status).disposition);
        assert_eq!(dispositions, [Accepted, Later, Later, Final, Final, Final, Final]);
    }

    #[test]
    fn the_words_of_a_state_are_read_as_that_state() {
        for state in [ReportState::Delivered, ReportState::Failed, ReportState::Waiting] {
            assert_eq!(report_state(report_words(state).0.as_bytes()), state);
        }
        for stat in ["EXPIRED", "DELETED", "UNDELIV", "UNKNOWN", "REJECTD", "MB:0069", ""] {
            assert_eq!(report_state(stat.as_bytes()), ReportState::Failed, "{stat}");
        }
    }

    #[test]
    fn the_error_says_more_than_the_state() {
        assert_eq!(report_meaning(b"EXPIRED", b"007").english, "the user's memory is full");
        assert_eq!(report_meaning(b"EXPIRED", b"").english, "validity is over");
        assert_eq!(report_meaning(b"DELIVRD", b"999").disposition, Accepted);
        assert_eq!(report_meaning(b"XX:1234", b"77").disposition, Final);
    }
}
