//! Results of answers and error codes of reports, explained.

use domain::{Disposition, Meaning};

use Disposition::{Accepted, Final, Later, SlowDown};

pub const OK: u8 = 0;
/// Wrong name or password.
pub const LOGIN: u8 = 1;
pub const REPEATED_LOGIN: u8 = 2;
pub const TOO_MANY_CONNECTIONS: u8 = 3;
pub const LOGIN_TYPE: u8 = 4;
pub const FORMAT: u8 = 5;
pub const COMMAND: u8 = 7;
pub const SEQUENCE: u8 = 9;
pub const USER_UNREACHABLE: u8 = 25;
/// Not in the standard; gateways send it for "too fast".
pub const FLOW_CONTROL: u8 = 88;

/// What `code` says in an answer to a submit. A node that is busy and a queue that is full are the nearest that the
/// standard has to "too fast". What is wrong with the login, its address or the node (1, 2, 4, 57, 93) is not the
/// message's fault: later. So is a sequence that was used (9): the next attempt has another.
#[must_use]
pub fn meaning(code: u32) -> Meaning {
    let explained = explained(code);
    let disposition = match code {
        11 | 33 => SlowDown,
        1 | 2 | 4 | 9 | 57 | 93 => Later,
        _ => explained.disposition,
    };
    Meaning { disposition, ..explained }
}

/// What `code` says in an answer to a login: what is wrong with the login is for somebody to mend.
#[must_use]
pub fn login_meaning(code: u32) -> Meaning {
    explained(code)
}

fn explained(code: u32) -> Meaning {
    let known = TABLE.iter().find(|(listed, ..)| u32::from(*listed) == code);
    match (known, code) {
        (Some(&(_, disposition, chinese, english)), _) => Meaning { disposition, chinese, english },
        (None, 51..=94) => {
            Meaning {
                disposition: Final, chinese: "网关自定义错误", english: "a code of the carrier's own"
            }
        }
        (None, 100..=255) => Meaning {
            disposition: Final,
            chinese: "计费或鉴权失败",
            english: "billing or authorisation failed",
        },
        (None, _) => Meaning { disposition: Final, chinese: "未知错误", english: "unknown code" },
    }
}

/// By code, with what it makes of a login: those of SGIP 1.2, those that 1.3 adds, and those seen in the field (from 51). 33 is "too fast" in 1.3 and
/// "queue full" in 1.2, 34 only in 1.3; both pass.
#[rustfmt::skip]
const TABLE: &[(u8, Disposition, &str, &str)] = &[
    (OK,                   Accepted, "成功", "ok"),
    (LOGIN,                Final,    "非法登录：登录名或口令错误", "illegal login: wrong name or password"),
    (REPEATED_LOGIN,       Final,    "重复登录", "repeated login on one connection"),
    (TOO_MANY_CONNECTIONS, Later,    "连接过多", "too many connections"),
    (LOGIN_TYPE,           Final,    "登录类型错误", "wrong login type"),
    (FORMAT,               Final,    "参数格式错误", "bad parameter format"),
    (6,                    Final,    "非法手机号码", "illegal mobile number"),
    (COMMAND,              Final,    "消息ID错误", "bad command id"),
    (8,                    Final,    "信息长度错误", "bad length"),
    (SEQUENCE,             Final,    "非法序列号", "illegal or repeated sequence"),
    (10,                   Final,    "非法操作GNS", "illegal GNS operation"),
    (11,                   Later,    "节点忙", "node busy"),
    (19,                   Final,    "接收者数量必须为1", "one user a submit only"),
    (21,                   Later,    "目的地址不可到达", "destination unreachable"),
    (22,                   Final,    "路由错误", "routed wrongly"),
    (23,                   Final,    "路由不存在", "no route"),
    (24,                   Final,    "计费号码无效", "bad payer"),
    (USER_UNREACHABLE,     Final,    "用户不能通信", "user unreachable"),
    (26,                   Final,    "手机内存不足", "handset memory full"),
    (27,                   Final,    "手机不支持短消息", "handset has no short messages"),
    (28,                   Final,    "手机接收短消息出现错误", "handset failed to receive"),
    (29,                   Final,    "未知用户", "unknown user"),
    (30,                   Final,    "不提供此功能", "function not offered"),
    (31,                   Final,    "非法设备", "illegal device"),
    (32,                   Later,    "系统失败", "system failure"),
    (33,                   Later,    "短信中心队列满", "message centre's queue is full"),
    (34,                   Later,    "登录过于频繁", "logins too often"),
    (54,                   Later,    "等待应答超时", "answer timed out in the carrier"),
    (57,                   Final,    "登录IP地址错误", "wrong login address"),
    (69,                   Final,    "黑名单用户", "user is on the black list"),
    (FLOW_CONTROL,         SlowDown, "流量控制", "flow control: too fast"),
    (93,                   Final,    "SP节点编号错误", "wrong node number of the SP"),
    (106,                  Final,    "用户未订购该业务", "user has no subscription"),
    (110,                  Final,    "用户在黑名单中", "user is on the black list of the service"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_each_code_once() {
        assert!(TABLE.is_sorted_by(|(before, ..), (after, ..)| before < after));
    }

    #[test]
    fn a_submit_waits_for_what_passes_or_is_no_fault_of_its_own_and_the_rest_is_final() {
        let codes = |disposition| -> Vec<u32> {
            (0..=300).filter(|&code| meaning(code).disposition == disposition).collect()
        };
        assert_eq!(codes(Accepted), [0]);
        assert_eq!(codes(SlowDown), [11, 33, 88]);
        assert_eq!(codes(Later), [1, 2, 3, 4, 9, 21, 32, 34, 54, 57, 93]);
    }

    #[test]
    fn a_login_waits_for_what_passes_and_the_rest_is_final() {
        let later = (0..=300).filter(|&code| login_meaning(code).disposition == Later);
        assert_eq!(later.collect::<Vec<_>>(), [3, 11, 21, 32, 33, 34, 54]);
        assert_eq!([0, 1, 57].map(|code| login_meaning(code).disposition), [Accepted, Final, Final]);
    }

    #[test]
    fn a_code_that_is_not_listed_is_explained_by_its_range() {
        assert_eq!(meaning(70).english, "a code of the carrier's own");
        assert_eq!(meaning(101).english, "billing or authorisation failed");
        for code in [12, 50, 95, 99, 256, u32::MAX] {
            assert_eq!(meaning(code).english, "unknown code", "{code}");
        }
    }
}
