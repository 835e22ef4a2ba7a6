//! `BIND`: the login, the first command on a connection.

use super::field::body;
use super::private::Password;
use crate::text::Text;

/// `Login_Type` of an SP that will submit.
pub const SP_TO_SMG: u8 = 1;
/// `Login_Type` of a gateway (SMG) that will deliver and report to an SP.
pub const SMG_TO_SP: u8 = 2;

body! {
    /// `BIND`, 61 bytes with the header. It is answered with a [`super::resp::Resp`].
    ///
    /// | field          | size | meaning |
    /// |----------------|------|---------|
    /// | Login_Type     | 1    | [`SP_TO_SMG`], [`SMG_TO_SP`]; 3 between gateways, 4 to 6 with a GNS, 11 test |
    /// | Login_Name     | 16   | text |
    /// | Login_Password | 16   | text, in clear |
    /// | Reserve        | 8    | |
    pub struct Bind {
        login_type: u8 = "Login_Type",
        login_name: Text<16> = "Login_Name",
        login_password: Password = "Login_Password",
    }
}
