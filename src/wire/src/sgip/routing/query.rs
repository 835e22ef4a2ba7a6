//! The routes to a number or a service: `QUERYROUTE`.

use std::net::Ipv4Addr;

use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::sgip::field::{Field, RESERVE, body, skip_second_reserve};
use crate::sgip::private::{Password, UserNumber};
use crate::text::Text;

body! {
    /// `QUERYROUTE`, 60 bytes with the header.
    ///
    /// | field      | size | meaning |
    /// |------------|------|---------|
    /// | QueryType  | 1    | |
    /// | Number     | 21   | of a user or a service |
    /// | ServiceTag | 10   | |
    /// | Reserve    | 8    | |
    pub struct QueryRoute {
        query_type: u8 = "QueryType",
        number: UserNumber = "Number",
        service_tag: Text<10> = "ServiceTag",
    }
}

/// `QUERYROUTE_RESP`, 25 + 87 n bytes with the header; one without routes is the last.
///
/// | field  | size | meaning |
/// |--------|------|---------|
/// | Result | 1    | see [`crate::sgip::codes`] |
/// | Count  | 4    | n, at most 20; some send one byte |
/// | routes | 87 n | see [`Route`] |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryRouteResp {
    pub result: u8,
    /// No more than the first 20 are sent.
    pub routes: Vec<Route>,
}

const MOST_ROUTES: u32 = 20;

/// One route.
///
/// | field     | size | meaning |
/// |-----------|------|---------|
/// | Type      | 1    | |
/// | Number    | 21   | of a user or a service |
/// | Mark      | 10   | service tag |
/// | Code      | 5    | enterprise code |
/// | SMGId     | 6    | of the gateway |
/// | SMGIP     | 4    | its address |
/// | LoginUser | 16   | text |
/// | Password  | 16   | text, in clear |
/// | Reserve   | 8    | |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub kind: u8,
    pub number: UserNumber,
    pub mark: Text<10>,
    pub code: Text<5>,
    pub smg_id: Text<6>,
    pub address: Ipv4Addr,
    pub login_user: Text<16>,
    pub password: Password,
    pub reserve: Text<RESERVE>,
}

/// The size of a route.
const ROUTE: usize = 87;

impl QueryRouteResp {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let result = reader.u8("Result")?;
        let count = match reader.remaining() % ROUTE {
            // One byte, with or without a second reserve behind the routes.
            1 | 9 => u32::from(reader.u8("Count")?),
            _ => reader.u32("Count")?,
        };
        if count > MOST_ROUTES {
            return Err(DecodeError::Limit { field: "Count", value: count, limit: MOST_ROUTES });
        }
        let routes = (0..count).map(|_| Route::read(reader)).collect::<Result<_, _>>()?;
        skip_second_reserve(reader)?;
        Ok(Self { result, routes })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(self.result);
        let count = u32::try_from(self.routes.len()).unwrap_or(u32::MAX).min(MOST_ROUTES);
        writer.u32(count);
        for route in self.routes.iter().take(count as usize) {
            route.write(writer);
        }
    }
}

impl Route {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            kind: reader.u8("Type")?,
            number: Field::read(reader, "Number")?,
            mark: reader.text("Mark")?,
            code: reader.text("Code")?,
            smg_id: reader.text("SMGId")?,
            address: Field::read(reader, "SMGIP")?,
            login_user: reader.text("LoginUser")?,
            password: Field::read(reader, "Password")?,
            reserve: reader.text("Reserve")?,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(self.kind);
        self.number.write(writer);
        writer.text(&self.mark);
        writer.text(&self.code);
        writer.text(&self.smg_id);
        self.address.write(writer);
        writer.text(&self.login_user);
        self.password.write(writer);
        writer.text(&self.reserve);
    }
}
