//! What codes and words say, for decisions and for people.
//!
//! A code that another attempt can change is [`Disposition::Later`]. One that the message, the account or the contract
//! causes is [`Disposition::Final`], and so is a code that is not the standard's: most of a carrier's own codes are
//! refusals for good (black lists, content), and the bank is to know at once.

use domain::Disposition::{self, Accepted, Final, Later, SlowDown};
use domain::Meaning;

/// `Result` of SUBMIT_RESP and DELIVER_RESP.
pub const BAD_STRUCTURE: u32 = 1;
pub const BAD_COMMAND: u32 = 2;
pub const REPEATED_SEQUENCE: u32 = 3;
/// Flow control: the one that asks to go slower.
pub const TOO_FAST: u32 = 8;
/// `Result` of FWD_RESP: not for this gateway.
pub const NOT_FOR_THIS_GATEWAY: u32 = 9;

/// `Status` of CONNECT_RESP.
pub const ILLEGAL_SOURCE: u32 = 2;
pub const NOT_AUTHENTICATED: u32 = 3;
pub const VERSION_TOO_HIGH: u32 = 4;
pub const OTHER: u32 = 5;

/// Of a `Status` in CONNECT_RESP. A connection is tried again whatever it says; `Final` is for a person to mend.
#[must_use]
pub const fn connect(status: u32) -> Meaning {
    match status {
        0 => meaning(Accepted, "成功", "welcome"),
        1 => meaning(Final, "消息结构错", "bad message structure"),
        2 => meaning(Final, "非法源地址", "illegal source address"),
        3 => meaning(Final, "认证错", "authentication failed"),
        4 => meaning(Final, "版本太高", "version too high"),
        // Not the standard's, but of more than one carrier.
        55 => meaning(Later, "接口连接数过多", "too many connections to the interface"),
        56 => meaning(Later, "账号连接数过多", "too many connections of the account"),
        57 => meaning(Final, "登录IP地址错误", "the login's IP address is not allowed"),
        60 => meaning(Final, "代理错误", "wrong proxy"),
        _ => meaning(Later, "其他错误", "another error"),
    }
}

/// Of a `Result` in SUBMIT_RESP.
#[must_use]
pub const fn submit(result: u32) -> Meaning {
    match result {
        0 => meaning(Accepted, "成功", "accepted"),
        1 => meaning(Final, "消息结构错", "bad message structure"),
        2 => meaning(Final, "命令字错", "bad command"),
        // A fresh attempt has a fresh sequence.
        3 => meaning(Later, "消息序号重复", "repeated sequence"),
        4 => meaning(Final, "消息长度错", "bad message length"),
        5 => meaning(Final, "资费代码错", "bad fee code"),
        6 => meaning(Final, "超过最大信息长", "message too long"),
        7 => meaning(Final, "业务代码错", "bad service code"),
        8 => meaning(SlowDown, "流量控制错", "flow control"),
        9 => meaning(Final, "本网关不负责此计费号码", "this gateway does not serve the paying number"),
        10 => meaning(Final, "源号码错误", "bad source number (Src_Id)"),
        11 => meaning(Final, "企业代码错误", "bad enterprise code (Msg_src)"),
        12 => meaning(Final, "计费号码错误", "bad paying number (Fee_terminal_Id)"),
        13 => meaning(Final, "目的号码错误", "bad destination number (Dest_terminal_Id)"),
        100..=199 => meaning(Final, "运营商自定义错误", "an error of the carrier's own"),
        _ => meaning(Final, "其他错误", "another error"),
    }
}

/// Of a `Stat` in a receipt. `Later` is what another attempt may change: the handset was away, or a system between did
/// not answer.
#[must_use]
pub fn stat(word: &[u8]) -> Meaning {
    match word {
        b"DELIVRD" => return meaning(Accepted, "已送达", "delivered"),
        b"ACCEPTD" => return meaning(Accepted, "已接收，尚未送达", "accepted, not yet delivered"),
        b"EXPIRED" => return meaning(Later, "超过有效期", "expired before it could be delivered"),
        b"DELETED" => return meaning(Final, "已被删除", "deleted"),
        b"UNDELIV" => return meaning(Final, "无法送达", "undeliverable"),
        b"UNKNOWN" => return meaning(Final, "状态未知", "state unknown"),
        b"REJECTD" => return meaning(Final, "被拒绝", "rejected"),
        _ => {}
    }
    match word.split_first_chunk() {
        Some((b"MA:", _)) => meaning(Later, "短信中心无应答", "no answer from the message centre"),
        Some((b"MB:", _)) => meaning(Final, "短信中心拒绝", "refused by the message centre"),
        Some((b"MC:", _)) => meaning(Final, "未收到短信中心状态报告", "no receipt from the message centre"),
        Some((b"CA:", _)) => meaning(Later, "计费控制点无应答", "no answer from the service control point"),
        Some((b"CB:", _)) => meaning(Final, "计费控制点拒绝", "refused by the service control point"),
        Some((b"DA:", _)) => meaning(Later, "业务管理平台无应答", "no answer from the service platform"),
        Some((b"DB:", _)) => meaning(Final, "业务管理平台拒绝", "refused by the service platform"),
        Some((b"SA:", _)) => meaning(Later, "企业侧无应答", "no answer from the service provider"),
        Some((b"SB:", _)) => meaning(Final, "企业侧拒绝", "refused by the service provider"),
        Some((b"IA:", _)) => meaning(Later, "下一级网关无应答", "no answer from the next gateway"),
        Some((b"IB:", _)) => meaning(Final, "下一级网关拒绝", "refused by the next gateway"),
        Some((b"IC:", _)) => meaning(Final, "未收到下一级网关状态报告", "no receipt from the next gateway"),
        _ => meaning(Final, "未送达", "not delivered"),
    }
}

const fn meaning(disposition: Disposition, chinese: &'static str, english: &'static str) -> Meaning {
    Meaning { disposition, chinese, english }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_flow_control_slows_down_and_only_zero_is_taken() {
        for code in (0..300).chain([u32::MAX]) {
            let disposition = submit(code).disposition;
            assert_eq!(disposition == SlowDown, code == TOO_FAST, "{code}");
            assert_eq!(disposition == Accepted, code == 0, "{code}");
            assert_eq!(connect(code).disposition == Accepted, code == 0, "{code}");
        }
    }

    #[test]
    fn a_code_of_a_vendor_and_one_of_nobody_are_final() {
        assert_eq!(submit(150).english, "an error of the carrier's own");
        assert_eq!(submit(14).english, "another error");
        assert_eq!((submit(150).disposition, submit(14).disposition), (Final, Final));
    }

    #[test]
    fn a_word_says_where_the_message_ended() {
        assert_eq!(stat(b"DELIVRD").disposition, Accepted);
        assert_eq!(stat(b"MA:0001").disposition, Later);
        assert_eq!(stat(b"MB:0069").english, "refused by the message centre");
        assert_eq!(stat(b"IC:0001").chinese, "未收到下一级网关状态报告");
        for word in [b"" as &[u8], b"MB", b"delivrd", b"ZZ:0000"] {
            assert_eq!(stat(word).disposition, Final);
        }
    }
}
