//! A user's credit, asked of billing: `CHECKUSER`.

use crate::sgip::field::body;
use crate::sgip::private::{Password, UserNumber};
use crate::text::Text;

body! {
    /// `CHECKUSER`, 81 bytes with the header.
    ///
    /// | field      | size | meaning |
    /// |------------|------|---------|
    /// | UserName   | 16   | of the one who asks |
    /// | Password   | 16   | text, in clear |
    /// | UserNumber | 21   | |
    /// | Reserve    | 8    | |
    pub struct CheckUser {
        user_name: Text<16> = "UserName",
        password: Password = "Password",
        user: UserNumber = "UserNumber",
    }
}

body! {
    /// `CHECKUSER_RESP`, 30 bytes with the header.
    ///
    /// | field   | size | meaning |
    /// |---------|------|---------|
    /// | Result  | 1    | see [`crate::sgip::codes`] |
    /// | Status  | 1    | of the user |
    /// | Reserve | 8    | |
    #[derive(Default)]
    pub struct CheckUserResp {
        result: u8 = "Result",
        status: u8 = "Status",
    }
}
