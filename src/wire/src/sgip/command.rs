//! Command ids.

/// Set in the id of an answer; the rest is the id of the request.
pub const RESP: u32 = 0x8000_0000;

pub const BIND: u32 = 0x1;
pub const UNBIND: u32 = 0x2;
pub const SUBMIT: u32 = 0x3;
pub const DELIVER: u32 = 0x4;
pub const REPORT: u32 = 0x5;
pub const ADDSP: u32 = 0x6;
pub const MODIFYSP: u32 = 0x7;
pub const DELETESP: u32 = 0x8;
pub const QUERYROUTE: u32 = 0x9;
pub const ADDTELESEG: u32 = 0xa;
pub const MODIFYTELESEG: u32 = 0xb;
pub const DELETETELESEG: u32 = 0xc;
pub const ADDSMG: u32 = 0xd;
/// The standard misprints the id of its answer, without [`RESP`]; we keep to the rule.
pub const MODIFYSMG: u32 = 0xe;
pub const DELETESMG: u32 = 0xf;
pub const CHECKUSER: u32 = 0x10;
pub const USERRPT: u32 = 0x11;
pub const TRACE: u32 = 0x1000;

pub const BIND_RESP: u32 = BIND | RESP;
pub const UNBIND_RESP: u32 = UNBIND | RESP;
pub const SUBMIT_RESP: u32 = SUBMIT | RESP;
pub const DELIVER_RESP: u32 = DELIVER | RESP;
pub const REPORT_RESP: u32 = REPORT | RESP;
pub const USERRPT_RESP: u32 = USERRPT | RESP;
pub const TRACE_RESP: u32 = TRACE | RESP;
