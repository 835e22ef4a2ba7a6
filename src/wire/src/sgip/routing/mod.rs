//! What gateways (SMG), routing nodes (GNS) and billing say to each other. An SP needs none of it, but a carrier's
//! port may see it.

pub mod provider;
pub mod query;
pub mod segment;
pub mod smg;
pub mod user;

pub use provider::{AddSp, DeleteSp, ModifySp};
pub use query::{QueryRoute, QueryRouteResp, Route};
pub use segment::{AddTeleSeg, DeleteTeleSeg, ModifyTeleSeg};
pub use smg::{AddSmg, DeleteSmg, ModifySmg};
pub use user::{CheckUser, CheckUserResp};

use super::command::{
    ADDSMG, ADDSP, ADDTELESEG, CHECKUSER, DELETESMG, DELETESP, DELETETELESEG, MODIFYSMG, MODIFYSP,
    MODIFYTELESEG, QUERYROUTE, RESP,
};
use super::resp::Resp;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;

macro_rules! routing {
    ($($name:ident($body:ty) = $command:expr,)*) => {
        /// A command between the carrier's own nodes, or the answer to one.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Routing {
            $($name($body),)*
        }

        impl Routing {
            /// `None` if `command` is none of these.
            pub(super) fn read(command: u32, reader: &mut Reader<'_>) -> Option<Result<Self, DecodeError>> {
                $(if command == $command {
                    return Some(<$body>::read(reader).map(Self::$name));
                })*
                None
            }

            pub(super) fn write(&self, writer: &mut Writer<'_>) {
                match self {
                    $(Self::$name(body) => body.write(writer),)*
                }
            }

            #[must_use]
            pub fn command(&self) -> u32 {
                match self {
                    $(Self::$name(_) => $command,)*
                }
            }
        }
    };
}

routing! {
    AddSp(AddSp) = ADDSP,
    AddSpResp(Resp) = ADDSP | RESP,
    ModifySp(ModifySp) = MODIFYSP,
    ModifySpResp(Resp) = MODIFYSP | RESP,
    DeleteSp(DeleteSp) = DELETESP,
    DeleteSpResp(Resp) = DELETESP | RESP,
    QueryRoute(QueryRoute) = QUERYROUTE,
    QueryRouteResp(QueryRouteResp) = QUERYROUTE | RESP,
    AddTeleSeg(AddTeleSeg) = ADDTELESEG,
    AddTeleSegResp(Resp) = ADDTELESEG | RESP,
    ModifyTeleSeg(ModifyTeleSeg) = MODIFYTELESEG,
    ModifyTeleSegResp(Resp) = MODIFYTELESEG | RESP,
    DeleteTeleSeg(DeleteTeleSeg) = DELETETELESEG,
    DeleteTeleSegResp(Resp) = DELETETELESEG | RESP,
    AddSmg(AddSmg) = ADDSMG,
    AddSmgResp(Resp) = ADDSMG | RESP,
    ModifySmg(ModifySmg) = MODIFYSMG,
    ModifySmgResp(Resp) = MODIFYSMG | RESP,
    DeleteSmg(DeleteSmg) = DELETESMG,
    DeleteSmgResp(Resp) = DELETESMG | RESP,
    CheckUser(CheckUser) = CHECKUSER,
    CheckUserResp(CheckUserResp) = CHECKUSER | RESP,
}

impl Routing {
    /// The answer to the request `command` that holds no more than `result`; `None` if it is no request of these.
    pub(super) fn answer(command: u32, result: u8) -> Option<Self> {
        let resp = Resp::new(result);
        Some(match command {
            ADDSP => Self::AddSpResp(resp),
            MODIFYSP => Self::ModifySpResp(resp),
            DELETESP => Self::DeleteSpResp(resp),
            QUERYROUTE => Self::QueryRouteResp(QueryRouteResp { result, routes: Vec::new() }),
            ADDTELESEG => Self::AddTeleSegResp(resp),
            MODIFYTELESEG => Self::ModifyTeleSegResp(resp),
            DELETETELESEG => Self::DeleteTeleSegResp(resp),
            ADDSMG => Self::AddSmgResp(resp),
            MODIFYSMG => Self::ModifySmgResp(resp),
            DELETESMG => Self::DeleteSmgResp(resp),
            CHECKUSER => Self::CheckUserResp(CheckUserResp { result, ..CheckUserResp::default() }),
            _ => return None,
        })
    }
}
